package org.flotilladb.region.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.BaseStream;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What code below SQL must not touch, so that a run depends on its seed alone; and who may know whom. Each ban names what
 * to use instead.
 */
class ArchitectureTest {
    private static final String ROOT = "org.flotilladb.region";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    /** Everything but the machine's side of the doors. */
    private static final DescribedPredicate<JavaClass> DETERMINISTIC = resideInAPackage(ROOT + "..")
            .and(DescribedPredicate.not(resideInAnyPackage(ROOT + ".runtime.system..", ROOT + ".store.rocks..")))
            .as("deterministic code");

    private static ArchRule noCall(Class<?> owner, String method, String instead) {
        return noClasses()
                .that(DETERMINISTIC)
                .should()
                .callMethod(owner, method)
                .because(instead);
    }

    static Iterable<ArchRule> bans() {
        return List.of(
                noCall(System.class, "nanoTime", "time comes from the Clock"),
                noCall(System.class, "currentTimeMillis", "time comes from the Clock"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("java.time..")
                        .because("time comes from the Clock"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(
                                Random.class,
                                SecureRandom.class,
                                ThreadLocalRandom.class,
                                SplittableRandom.class,
                                UUID.class)
                        .because("random numbers come from the RandomSource"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .callMethod(Math.class, "random")
                        .because("random numbers come from the RandomSource"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .callMethod(Thread.class, "sleep", long.class)
                        .orShould()
                        .callMethod(Thread.class, "start")
                        .because("tasks run later through the Scheduler"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(ForkJoinPool.class)
                        .orShould()
                        .callMethod(BaseStream.class, "parallel")
                        .orShould()
                        .callMethod(Collection.class, "parallelStream")
                        .because("tasks run through the Scheduler"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .callMethodWhere(
                                target(CompletableFuture.class, ".*Async|runAsync|supplyAsync|delayedExecutor"))
                        .because("the common pool is not the Scheduler"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .dependOnClassesThat()
                        .belongToAnyOf(
                                HashMap.class,
                                HashSet.class,
                                IdentityHashMap.class,
                                WeakHashMap.class,
                                ConcurrentHashMap.class)
                        .because("their order is not fixed: use TreeMap, TreeSet, ConcurrentSkipListMap"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .callMethodWhere(target(Map.class, "of|ofEntries|copyOf"))
                        .orShould()
                        .callMethodWhere(target(Set.class, "of|copyOf"))
                        .because("their order changes from process to process: use TreeMap, TreeSet"),
                noClasses()
                        .that(DETERMINISTIC)
                        .should()
                        .callMethodWhere(target(Collectors.class, "toMap|toSet|groupingBy.*|partitioningBy"))
                        .because("their order is not fixed: collect into a TreeMap or TreeSet"));
    }

    private static DescribedPredicate<JavaMethodCall> target(Class<?> owner, String names) {
        return DescribedPredicate.describe(
                "target is " + owner.getSimpleName() + "." + names,
                call -> call.getTargetOwner().isEquivalentTo(owner)
                        && call.getName().matches(names));
    }

    static Iterable<ArchRule> arrows() {
        return List.of(
                noClasses()
                        .that()
                        .resideInAPackage(ROOT + "..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("io.netty..")
                        .because("the transport is an interface of proto"),
                classes()
                        .that()
                        .resideInAPackage(ROOT + "..")
                        .should()
                        .onlyDependOnClassesThat()
                        .resideInAnyPackage(
                                ROOT + "..",
                                "org.flotilladb.raft..",
                                "org.flotilladb.proto..",
                                "com.google.protobuf..",
                                "org.rocksdb..",
                                "org.slf4j..",
                                "java..")
                        .because("region is below everything else"),
                only(".client", ".runtime", ".runtime.system").because("a client knows no Store"),
                only(".runtime").because("the doors stand by themselves"),
                only(".runtime.system", ".runtime"),
                only(".group", ".runtime").because("a group knows nothing of what it replicates"),
                only(".placement", ".runtime", ".group", ".store.mvcc", ".placement.engine")
                        .because("the Placement Driver knows no Store"),
                only(".placement.engine", ".runtime").because("decisions are functions of reports"),
                only(".store.mvcc", ".runtime").because("versions are functions of a state"),
                only(".store.rocks", ".runtime").because("an implementation knows its port"),
                only(".store.storage", ".runtime").because("an implementation knows its port"),
                only(".store", ".runtime", ".group", ".placement", ".store.mvcc")
                        .because("a Store knows its ports, not what implements them"),
                noClasses()
                        .that()
                        .resideOutsideOfPackage(ROOT + ".simulation..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage(ROOT + ".simulation..")
                        .because("nothing real knows that it is simulated"));
    }

    private static ArchRule only(String from, String... to) {
        String[] allowed = new String[to.length + 5];
        for (int i = 0; i < to.length; i++) {
            allowed[i] = ROOT + to[i];
        }
        allowed[to.length] = ROOT + from;
        allowed[to.length + 1] = "java..";
        allowed[to.length + 2] = "com.google.protobuf..";
        allowed[to.length + 3] = "org.slf4j..";
        allowed[to.length + 4] = from.equals(".store.rocks") ? "org.rocksdb.." : ROOT + from;
        String[] withMessages = Arrays.copyOf(allowed, allowed.length + 2);
        withMessages[allowed.length] = "org.flotilladb.proto..";
        withMessages[allowed.length + 1] = "org.flotilladb.raft..";
        return classes()
                .that()
                .resideInAPackage(ROOT + from)
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage(withMessages).or(DescribedPredicate.describe("arrays", JavaClass::isArray)));
    }

    @ParameterizedTest
    @MethodSource("bans")
    void nothing_is_used_that_would_make_a_run_depend_on_more_than_its_seed(ArchRule rule) {
        rule.check(CLASSES);
    }

    @ParameterizedTest
    @MethodSource("arrows")
    void packages_know_only_whom_they_may(ArchRule rule) {
        rule.check(CLASSES);
    }
}
