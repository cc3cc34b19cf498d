package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeExampleTest {

    private static final Path README = Path.of(System.getProperty("flotilla.root", ".."), "README.md");

    @Test
    void theExampleIsTenLinesAndPrintsWhatTheReadmeSaysTheFirstTimeAndAgain(@TempDir Path folder) throws Exception {
        String readme = Files.readString(README);
        String example = block(readme, "java");
        assertTrue(example.lines().count() <= 10, "it has " + example.lines().count() + " lines");
        Files.writeString(folder.resolve("Ahoy.java"), example);
        List<String> expected = List.of("Ahoy, world");
        assertTrue(readme.contains("prints `" + expected.get(0) + "`"), "the README does not say what it prints");
        for (int run = 1; run <= 2; run++) {
            // Java compiles and runs a source file that is named like this.
            try (JavaProcess process = JavaProcess.start(folder, "Ahoy.java", List.of())) {
                assertEquals(0, process.waitFor(120_000), process.toString());
                assertEquals(expected, process.output());
            }
        }
    }

    private static String block(String markdown, String language) {
        Matcher matcher = Pattern.compile("```" + language + "\\n(.*?)```", Pattern.DOTALL)
                .matcher(markdown);
        assertTrue(matcher.find(), "README.md has no block of " + language);
        return matcher.group(1);
    }
}
