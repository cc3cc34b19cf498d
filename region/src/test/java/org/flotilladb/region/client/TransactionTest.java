package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.LocalReads;
import org.junit.jupiter.api.Test;

class TransactionTest {
    private static final long START_TS = 5L << 18;

    private static final class SetClock implements Clock {
        long nowNs = 17;

        @Override
        public long nanoTime() {
            return nowNs;
        }

        @Override
        public long wallMs() {
            return 5;
        }
    }

    /** A node that has nothing and hands out one timestamp. */
    private static final class EmptyNode implements LocalNode {
        @Override
        public long tryTimestamp() {
            return START_TS;
        }

        @Override
        public long catalogEpoch() {
            return 0;
        }

        @Override
        public Read get(byte[] key, long readTs) {
            return Read.ABSENT;
        }

        @Override
        public Page scan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes, long readTs) {
            return Page.NOT_SERVED;
        }
    }

    @Test
    void theLocksOfATransactionThatBeganLongAgoStandAsLongAsThoseOfANewOne() {
        SetClock clock = new SetClock();
        ClientSettings settings = ClientSettings.of(List.of("nowhere:1"));
        TransactionClient client =
                new TransactionClient(settings, new ClientEnvironment(clock, null, null, null, new EmptyNode()));
        Transaction transaction = client.begin(true);
        assertSame(LocalReads.Read.ABSENT, transaction.tryGet(new byte[] {1}));
        assertEquals(settings.lockTtlMs(), transaction.lockTtlMs());
        clock.nowNs += 60_000_000_000L;
        assertEquals(settings.lockTtlMs() + 60_000, transaction.lockTtlMs());
    }
}
