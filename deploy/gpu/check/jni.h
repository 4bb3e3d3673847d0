// A stand-in for the Java Native Interface: the part of it that the bridge's sources use, in a process without a JVM and
// compiled without a JDK. A thrown exception stays pending, as in a JVM, until `throw_pending` makes a C++ exception of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#define JNICALL
#define JNI_VERSION_10 0x000a0000

using jboolean = uint8_t;
using jbyte = int8_t;
using jint = int32_t;
using jlong = int64_t;
using jfloat = float;
using jdouble = double;
using jsize = jint;

struct _jobject {
  virtual ~_jobject() = default;
};
using jobject = _jobject*;

struct _jtext : _jobject {
  explicit _jtext(std::string value) : value(std::move(value)) {}
  std::string value;
};
using jstring = _jtext*;
using jclass = _jtext*;

struct _jarray : _jobject {
  explicit _jarray(size_t size) : size(size) {}
  size_t size;
};
using jarray = _jarray*;

template <typename T>
struct _jnumbers : _jarray {
  explicit _jnumbers(std::vector<T> given) : _jarray(given.size()), values(std::move(given)) {}
  std::vector<T> values;
};
using jbyteArray = _jnumbers<jbyte>*;
using jlongArray = _jnumbers<jlong>*;
using jfloatArray = _jnumbers<jfloat>*;
using jdoubleArray = _jnumbers<jdouble>*;

struct JavaVM;

// Owns the objects that it makes, until the process ends.
struct JNIEnv {
  jboolean ExceptionCheck() const { return !pending.empty(); }
  jclass FindClass(const char* name) { return make<_jtext>(name); }
  jint ThrowNew(jclass type, const char* message) {
    pending = type->value.substr(type->value.rfind('/') + 1) + ": " + message;
    return 0;
  }

  jstring NewStringUTF(const char* text) { return make<_jtext>(text); }
  jsize GetStringLength(jstring text) { return static_cast<jsize>(text->value.size()); }
  jsize GetStringUTFLength(jstring text) { return GetStringLength(text); }
  void GetStringUTFRegion(jstring text, jsize start, jsize length, char* to) { text->value.copy(to, length, start); }

  jlongArray NewLongArray(jsize size) { return make<_jnumbers<jlong>>(std::vector<jlong>(size)); }
  jsize GetArrayLength(jarray array) { return static_cast<jsize>(array->size); }
  void SetLongArrayRegion(jlongArray array, jsize start, jsize length, const jlong* from) {
    std::copy_n(from, length, array->values.begin() + start);
  }
  void GetByteArrayRegion(jbyteArray array, jsize start, jsize length, jbyte* to) { region(array, start, length, to); }
  void GetLongArrayRegion(jlongArray array, jsize start, jsize length, jlong* to) { region(array, start, length, to); }
  void GetFloatArrayRegion(jfloatArray array, jsize start, jsize length, jfloat* to) { region(array, start, length, to); }
  void GetDoubleArrayRegion(jdoubleArray array, jsize start, jsize length, jdouble* to) {
    region(array, start, length, to);
  }

  template <typename T, typename Value>
  T* make(Value value) {
    auto object = std::make_unique<T>(std::move(value));
    T* made = object.get();
    objects.push_back(std::move(object));
    return made;
  }

  void throw_pending() {
    if (!pending.empty()) {
      throw std::runtime_error(std::exchange(pending, ""));
    }
  }

 private:
  template <typename T>
  void region(_jnumbers<T>* array, jsize start, jsize length, T* to) {
    std::copy_n(array->values.begin() + start, length, to);
  }

  std::string pending;
  std::deque<std::unique_ptr<_jobject>> objects;
};
