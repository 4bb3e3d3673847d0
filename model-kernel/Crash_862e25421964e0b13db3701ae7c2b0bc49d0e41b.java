import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

public class Crash_862e25421964e0b13db3701ae7c2b0bc49d0e41b {
    static final String base64Bytes = String.join("", "AYACfVgBAAAAd2N0b3JjaC5fdXRpbHMKX3JlYnVpbGRfdGVuc29yX3YyCigoWAcAAABzdG9yYWdlY3RvcmNoCkZsb2F0U3RvcmFnZQpYAQAAADBYAwAAAGNwdYoIBAAAAAAAAAB0UYoIAAAAAAAAAAAoiggCAAAAAAAAAHQoigj/////////f3SJY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CilSdFJzLg==");

    public static void main(String[] args) throws Throwable {
        Crash_862e25421964e0b13db3701ae7c2b0bc49d0e41b.class.getClassLoader().setDefaultAssertionStatus(true);
        try {
            Method fuzzerInitialize = io.github.rarspark.kernel.weights.FuzzTorch.class.getMethod("fuzzerInitialize");
            fuzzerInitialize.invoke(null);
        } catch (NoSuchMethodException ignored) {
            try {
                Method fuzzerInitialize = io.github.rarspark.kernel.weights.FuzzTorch.class.getMethod("fuzzerInitialize", String[].class);
                fuzzerInitialize.invoke(null, (Object) args);
            } catch (NoSuchMethodException ignored1) {
            } catch (IllegalAccessException | InvocationTargetException e) {
                e.printStackTrace();
                System.exit(1);
            }
        } catch (IllegalAccessException | InvocationTargetException e) {
            e.printStackTrace();
            System.exit(1);
        }
        byte[] input = java.util.Base64.getDecoder().decode(base64Bytes);
        io.github.rarspark.kernel.weights.FuzzTorch.fuzzerTestOneInput(input);
    }
}