package org.flotilladb.raft;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The library is a function of what it is given: it reaches for no clock, no randomness, no thread, no library. */
@DisplayName("The library's shape")
class ArchitectureTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.flotilladb.raft");

    /** Their iteration order depends on hashes, some of them on identity hashes or a seed of the JVM. */
    private static final Set<String> HASHED = Set.of(
            "java.util.HashMap",
            "java.util.HashSet",
            "java.util.IdentityHashMap",
            "java.util.WeakHashMap",
            "java.util.Hashtable",
            "java.util.concurrent.ConcurrentHashMap");

    @Test
    void itDependsOnTheJdkOnly() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java.lang..",
                        "java.util",
                        "java.util.function",
                        "java.util.stream",
                        "java.nio..",
                        "org.flotilladb.raft..")
                .check(MAIN);
    }

    @Test
    void itCallsNoClockRandomnessThreadOrUnorderedCollection() {
        noClasses()
                .should()
                .accessTargetWhere(new DescribedPredicate<JavaAccess<?>>("are banned") {
                    @Override
                    public boolean test(JavaAccess<?> access) {
                        AccessTarget target = access.getTarget();
                        String owner = target.getOwner().getName();
                        String name = target.getName();
                        return HASHED.contains(owner)
                                || owner.equals("java.lang.System") && !name.equals("arraycopy")
                                || owner.startsWith("java.lang.Thread")
                                || owner.equals("java.lang.Runtime")
                                || owner.startsWith("java.util.Random")
                                || owner.equals("java.util.UUID")
                                || owner.equals("java.util.SplittableRandom")
                                || owner.startsWith("java.util.concurrent")
                                || owner.startsWith("java.time")
                                || owner.equals("java.lang.Math") && name.equals("random")
                                || name.equals("parallelStream")
                                || name.equals("identityHashCode")
                                || (owner.equals("java.util.Map") || owner.equals("java.util.Set"))
                                        && (name.equals("of") || name.equals("copyOf") || name.equals("ofEntries"));
                    }
                })
                .check(MAIN);
    }
}
