package org.flotilladb.sqltests.arrows;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Which module may use which, in classes and in poms. The table of ARCHITECTURE.md says why. */
class ModulesTest {

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.flotilladb");

    /**
     * A module.
     *
     * @param packages its own
     * @param mayUse packages of others that it may use, besides the JDK
     */
    private record Module(String name, List<String> packages, List<String> mayUse) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final String RAFT = "org.flotilladb.raft..";
    private static final String PROTO = "org.flotilladb.proto..";
    private static final String REGION = "org.flotilladb.region..";
    private static final String ENGINE = "org.flotilladb.engine..";
    private static final String SERVER = "org.flotilladb.server..";
    private static final String SLF4J = "org.slf4j..";
    private static final String PROTOBUF = "com.google.protobuf..";

    static Stream<Module> modules() {
        return Stream.of(
                new Module("raft", List.of(RAFT), List.of()),
                new Module("proto", List.of(PROTO), List.of(PROTOBUF, "io.netty..", SLF4J)),
                new Module("region", List.of(REGION), List.of(RAFT, PROTO, PROTOBUF, "org.rocksdb..", SLF4J)),
                new Module("engine", List.of(ENGINE), List.of("org.h2..", SLF4J)),
                new Module(
                        "driver",
                        List.of("org.flotilladb", "org.flotilladb.driver.."),
                        List.of(ENGINE, REGION, PROTO, PROTOBUF, "org.h2..", SLF4J)),
                new Module(
                        "server",
                        List.of(SERVER),
                        List.of(
                                "org.flotilladb.driver..",
                                ENGINE,
                                REGION,
                                PROTO,
                                PROTOBUF,
                                SLF4J,
                                "picocli..",
                                "org.jline..",
                                "org.HdrHistogram..",
                                "com.sun.management..")));
    }

    private static DescribedPredicate<JavaClass> in(List<String> packages) {
        return resideInAnyPackage(packages.toArray(new String[0]));
    }

    @ParameterizedTest
    @MethodSource("modules")
    void aModuleUsesOnlyWhatItMay(Module module) {
        List<String> allowed = new ArrayList<>(module.packages());
        allowed.addAll(module.mayUse());
        // Arrays of primitives have no package.
        allowed.addAll(List.of("java..", "javax..", ""));
        classes()
                .that(in(module.packages()))
                .should()
                .onlyDependOnClassesThat(in(allowed))
                .check(ALL);
    }

    @Test
    void theClientDoesNotKnowTheStore() {
        noClasses()
                .that(resideInAPackage("org.flotilladb.region.client.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "org.flotilladb.region.store..",
                        "org.flotilladb.region.group..",
                        "org.flotilladb.region.placement..",
                        "org.rocksdb.."))
                .check(ALL);
    }

    @Test
    void theDriverUsesOfRegionTheClientAndTheRuntimeOnly() {
        noClasses()
                .that(resideInAnyPackage("org.flotilladb", "org.flotilladb.driver.."))
                .should()
                .dependOnClassesThat(resideInAPackage(REGION)
                        .and(DescribedPredicate.not(resideInAnyPackage(
                                "org.flotilladb.region.client..", "org.flotilladb.region.runtime.."))))
                .check(ALL);
    }

    @Test
    void nobodyUsesTheInsidesOfTheEngine() {
        noClasses()
                .that(DescribedPredicate.not(resideInAPackage(ENGINE)))
                .should()
                .dependOnClassesThat(resideInAPackage("org.flotilladb.engine.internal.."))
                .check(ALL);
    }

    @Test
    void theShellAndTheBenchmarkTalkPlainJdbc() {
        noClasses()
                .that(resideInAnyPackage("org.flotilladb.server.cli.shell..", "org.flotilladb.server.cli.demo.."))
                .should()
                .dependOnClassesThat(resideInAnyPackage(REGION, PROTO, ENGINE, "org.flotilladb.driver.."))
                .check(ALL);
    }

    @Test
    void everyModuleWasLookedAt() {
        modules()
                .forEach(module -> assertTrue(
                        ALL.stream().anyMatch(in(module.packages())::test), "no class of " + module + " was found"));
        assertTrue(ALL.contain("org.flotilladb.proto.Envelope"), "generated classes are looked at too");
        assertTrue(ALL.that(alwaysTrue()).size() > 200);
    }

    // ---- poms

    private static Path root() {
        return Path.of(System.getProperty("flotilla.root"));
    }

    /** What a module has at run time and hands on to whoever depends on it, by pom: not optional, not for tests. */
    private static Map<String, String> handedOn(String module) throws Exception {
        Element project = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(root().resolve(module).resolve("pom.xml").toFile())
                .getDocumentElement();
        Map<String, String> result = new TreeMap<>();
        NodeList dependencies = project.getElementsByTagName("dependency");
        for (int i = 0; i < dependencies.getLength(); i++) {
            Element dependency = (Element) dependencies.item(i);
            if (!text(dependency, "scope").equals("test")
                    && !text(dependency, "optional").equals("true")) {
                result.put(text(dependency, "artifactId"), text(dependency, "groupId"));
            }
        }
        return result;
    }

    private static String text(Element of, String name) {
        NodeList found = of.getElementsByTagName(name);
        return found.getLength() == 0 ? "" : found.item(0).getTextContent().trim();
    }

    private static Map<String, String> handedOnByAll(String module) throws Exception {
        Map<String, String> all = new TreeMap<>();
        for (Map.Entry<String, String> each : handedOn(module).entrySet()) {
            all.put(each.getKey(), each.getValue());
            if (each.getValue().equals("org.flotilladb")) {
                all.putAll(handedOnByAll(each.getKey().substring("flotilla-".length())));
            }
        }
        return all;
    }

    @Test
    void anApplicationWithTheDriverAloneHasNoRocksDb() throws Exception {
        Map<String, String> driver = handedOnByAll("driver");
        assertTrue(driver.containsKey("h2") && driver.containsKey("flotilla-raft"), driver.toString());
        assertEquals(
                List.of(
                        "flotilla-engine",
                        "flotilla-proto",
                        "flotilla-raft",
                        "flotilla-region",
                        "h2",
                        "netty-codec-base",
                        "netty-handler",
                        "protobuf-java",
                        "slf4j-api"),
                List.copyOf(driver.keySet()));
        assertTrue(handedOnByAll("server").containsKey("rocksdbjni"));
    }

    @Test
    void raftHasNoDependencyAtAll() throws Exception {
        assertEquals(Map.of(), handedOn("raft"));
    }

    @Test
    void everyVersionIsInTheParent() throws Exception {
        for (String module : List.of("raft", "proto", "region", "engine", "driver", "server", "sql-tests")) {
            String pom = Files.readString(root().resolve(module).resolve("pom.xml"));
            String own = pom.substring(pom.indexOf("</parent>"));
            assertTrue(!own.contains("<version>"), module + "/pom.xml has a version of its own");
        }
    }
}
