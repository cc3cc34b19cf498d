package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Config")
class ConfigTest {
    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong("heartbeatTick", builder -> builder.heartbeatTick(0)),
                wrong("electionTick", builder -> builder.electionTick(5).heartbeatTick(5)),
                wrong("maxInflightMessages", builder -> builder.maxInflightMessages(0)),
                wrong("applied", builder -> builder.applied(-1)),
                wrong(
                        "maxInflightBytes",
                        builder -> builder.maxSizePerMessageBytes(10).maxInflightBytes(9)),
                wrong("maxCommittedPerReadyBytes", builder -> builder.maxCommittedPerReadyBytes(0)),
                wrong("maxUncommittedBytes", builder -> builder.maxUncommittedBytes(0)),
                wrong("maxPendingReads", builder -> builder.maxPendingReads(0)),
                wrong("promisedElectionTimeoutNs", builder -> builder.leases(-1, 0.05, 0)),
                wrong("marginNs", builder -> builder.leases(1_000_000, 0.05, 1_000_000)),
                wrong(
                        "readOnlyOption",
                        builder -> builder.readOnlyOption(ReadOnlyOption.LEASE_BASED)
                                .checkQuorum(false)),
                wrong("maxSizePerMessageBytes", builder -> builder.maxSizePerMessageBytes(-1)),
                wrong("clockRateError", builder -> builder.leases(1, 0.5, 0)),
                wrong("marginNs", builder -> builder.leases(1, 0.05, -1)),
                wrong(
                        "holdUntilDurable",
                        builder -> builder.leases(1_000_000_000L, 0.05, 0).holdUntilDurable(false)),
                wrong("restAfterTicks", builder -> builder.restAfterTicks(-1)));
    }

    private static Arguments wrong(String field, UnaryOperator<Config.Builder> change) {
        return Arguments.of(field, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void wrong(String field, UnaryOperator<Config.Builder> change, org.junit.jupiter.api.TestInfo info) {
        Config.Builder builder = change.apply(Config.builder(1, new MemoryStorage()));
        IllegalArgumentException thrown =
                assertThrows(IllegalArgumentException.class, builder::build, info.getDisplayName());
        assertTrue(thrown.getMessage().contains(field), thrown.getMessage());
    }
}
