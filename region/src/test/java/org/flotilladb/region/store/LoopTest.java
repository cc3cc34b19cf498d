package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong in the loop is told, and does not leave others waiting. */
class LoopTest {
    private final ArrayDeque<Runnable> scheduled = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();
    private final List<RuntimeException> failures = new ArrayList<>();
    private final Scheduler scheduler = new Scheduler() {
        @Override
        public void execute(Runnable task) {
            scheduled.add(task);
        }

        @Override
        public Cancellable schedule(long delayNs, Runnable task) {
            throw new IllegalStateException("nothing here is for later");
        }
    };

    private void runScheduled() {
        while (!scheduled.isEmpty()) {
            scheduled.poll().run();
        }
    }

    private Loop loop(boolean callerRuns) {
        return new Loop(scheduler, callerRuns, () -> done.add("round"), failures::add);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void an_input_that_fails_as_nobody_foresaw_is_told_and_what_waits_behind_it_is_done(boolean callerRuns) {
        Loop loop = loop(callerRuns);
        RuntimeException unforeseen = new IllegalStateException("unforeseen");
        Runnable failing = () -> {
            loop.submit(() -> done.add("behind"));
            throw unforeseen;
        };
        assertSame(unforeseen, assertThrows(IllegalStateException.class, () -> {
            loop.submit(failing);
            runScheduled();
        }));
        assertEquals(List.of(unforeseen), failures);
        runScheduled();
        assertEquals(List.of("behind", "round"), done);
        assertEquals(0, loop.queued());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_disk_that_fails_under_an_input_is_told_and_the_batch_goes_on(boolean callerRuns) {
        Loop loop = loop(callerRuns);
        StorageException broken = new StorageException(StorageException.Kind.IO, "broken", null);
        loop.submit(() -> {
            loop.submit(() -> done.add("behind"));
            throw broken;
        });
        runScheduled();
        assertEquals(List.of(broken), failures);
        assertEquals(List.of("behind", "round"), done);
    }
}
