package io.github.rarspark.cli;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaModifier.NATIVE;
import static com.tngtech.archunit.core.domain.JavaModifier.SYNTHETIC;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaFieldAccess.AccessType;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.NativeLibrary;
import io.github.rarspark.kernel.tensor.Torch;
import java.util.List;

/** The boundaries between the modules, and what no module does. */
@AnalyzeClasses(
        packages = "io.github.rarspark",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoTestJars.class})
class ArchitectureTest {

    /** Leaves out what modules share for their tests, which later phases of a build pass as jars. */
    static final class NoTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    private static final String KERNEL = "io.github.rarspark.kernel..";
    private static final String CONF = "io.github.rarspark.conf..";
    private static final String COMMON = "io.github.rarspark.common..";
    private static final String TOKENIZE = "io.github.rarspark.tokenize..";
    private static final String TRAIN = "io.github.rarspark.train..";
    private static final String GENERATE = "io.github.rarspark.generate..";
    private static final String FID = "io.github.rarspark.fid..";
    private static final String CLI = "io.github.rarspark.cli..";
    private static final String[] SPARK = {"org.apache.spark..", "org.apache.hadoop..", "scala.."};

    @ArchTest
    static final ArchRule kernelKnowsNoSparkAndNoRecipes = noClasses()
            .that()
            .resideInAPackage(KERNEL)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(SPARK)
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage(CONF, COMMON, TOKENIZE, TRAIN, GENERATE, FID, CLI);

    @ArchTest
    static final ArchRule confKnowsNeitherSparkNorTensors = noClasses()
            .that()
            .resideInAPackage(CONF)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(SPARK)
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage("ai.djl..", KERNEL, COMMON, TOKENIZE, TRAIN, GENERATE, FID, CLI);

    @ArchTest
    static final ArchRule commonKnowsNoPipeline = noClasses()
            .that()
            .resideInAPackage(COMMON)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(TOKENIZE, TRAIN, GENERATE, FID, CLI);

    @ArchTest
    static final ArchRule tokenizeKnowsNoOtherPipeline = pipelineKnowsNone(TOKENIZE, TRAIN, GENERATE, FID);

    @ArchTest
    static final ArchRule trainKnowsNoOtherPipeline = pipelineKnowsNone(TRAIN, TOKENIZE, GENERATE, FID);

    @ArchTest
    static final ArchRule generateKnowsNoOtherPipeline = pipelineKnowsNone(GENERATE, TOKENIZE, TRAIN, FID);

    @ArchTest
    static final ArchRule fidKnowsNoOtherPipeline = pipelineKnowsNone(FID, TOKENIZE, TRAIN, GENERATE);

    @ArchTest
    static final ArchRule packagesAreFreeOfCycles =
            slices().matching("io.github.rarspark.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule whatStorageUsesDoesNotKnowIt = noClasses()
            .that()
            .resideInAPackage(Storage.class.getPackageName())
            .and()
            .doNotBelongToAnyOf(Storage.class)
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Storage.class);

    @ArchTest
    static final ArchRule nativeHandlesStayInTheKernel = noClasses()
            .that()
            .resideOutsideOfPackage(KERNEL)
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Handles.class, NativeLibrary.class);

    @ArchTest
    static final ArchRule nativeMethodsArePrivateToClassesOfTheKernel = methods()
            .that()
            .haveModifier(NATIVE)
            .should()
            .bePrivate()
            .andShould()
            .beStatic()
            .andShould()
            .beDeclaredInClassesThat()
            .resideInAPackage(KERNEL);

    /** What DJL creates borrows a buffer of Java's; the reader of mapped files copies its view at once. */
    @ArchTest
    static final ArchRule tensorsAreCreatedInTheMemoryOfLibtorch = noClasses()
            .that()
            .haveNameNotMatching(".*\\.TensorCopies")
            .should()
            .callMethodWhere(target(owner(assignableTo(NDManager.class))).and(target(name("create"))));

    /** DJL's default is a GPU wherever it finds one. */
    @ArchTest
    static final ArchRule everyManagerNamesItsDevice =
            noClasses().should().callMethod(NDManager.class, "newBaseManager");

    @ArchTest
    static final ArchRule onlyMainEndsTheProcess = noClasses()
            .that()
            .doNotBelongToAnyOf(Main.class, Torch.class)
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class)
            .orShould()
            .callMethod(Torch.class, "halt", int.class);

    @ArchTest
    static final ArchRule staticFieldsAreFinal = fields().that()
            .areStatic()
            .and()
            .doNotHaveModifier(SYNTHETIC)
            .should()
            .beFinal();

    /** A key that nothing reads would promise what it does not do. */
    @ArchTest
    static void everySettingIsRead(JavaClasses classes) {
        List<String> unread = classes.stream()
                .filter(type -> type.getPackageName().equals("io.github.rarspark.conf")
                        && type.getSimpleName().endsWith("Settings"))
                .flatMap(type -> type.getFields().stream())
                .filter(component -> !isRead(component))
                .map(JavaField::getFullName)
                .toList();
        assertThat(unread).isEmpty();
    }

    /** By a call of its accessor, or by another method of its record. */
    private static boolean isRead(JavaField component) {
        String accessor = component.getName();
        return !component.getOwner().getMethod(accessor).getCallsOfSelf().isEmpty()
                || component.getAccessesToSelf().stream()
                        .anyMatch(access -> access.getAccessType() == AccessType.GET
                                && !access.getOrigin().getName().equals(accessor));
    }

    private static ArchRule pipelineKnowsNone(String pipeline, String... others) {
        return noClasses()
                .that()
                .resideInAPackage(pipeline)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(others)
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage(CLI);
    }
}
