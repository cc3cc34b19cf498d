package org.flotilladb.region.store.rocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.KvStore.KvSnapshot;
import org.flotilladb.region.runtime.StorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Native memory is never touched after close: who comes late gets an exception, who is inside is waited for. */
@Timeout(120)
class RocksCloseTest {
    private static final byte[] KEY = "key".getBytes(StandardCharsets.US_ASCII);

    @Test
    void afterCloseEverythingThrows(@TempDir Path folder) {
        RocksKvStore store = new RocksKvStore(folder, 1 << 20);
        KvBatch batch = store.batch();
        batch.put(Family.DEFAULT, KEY, KEY);
        store.write(batch);
        store.close();
        store.close();
        assertThrows(StorageException.class, () -> store.get(Family.DEFAULT, KEY));
        assertThrows(StorageException.class, () -> store.first(Family.DEFAULT, KEY, null));
        assertThrows(StorageException.class, () -> store.cursor(Family.DEFAULT, null, null));
        assertThrows(StorageException.class, store::snapshot);
        assertThrows(StorageException.class, () -> store.write(batch));
        assertThrows(StorageException.class, store::sync);
        assertThrows(StorageException.class, () -> store.approximateSizeBytes(null, null));
    }

    @Test
    void closeWaitsForASnapshotAndItsCursor(@TempDir Path folder) throws Exception {
        RocksKvStore store = new RocksKvStore(folder, 1 << 20);
        KvBatch batch = store.batch();
        batch.put(Family.DEFAULT, KEY, KEY);
        store.write(batch);
        KvSnapshot snapshot = store.snapshot();
        KvCursor cursor = snapshot.cursor(Family.DEFAULT, null, null);
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<Void> closing = CompletableFuture.runAsync(() -> {
            store.close();
            order.add("closed");
        });
        untilNobodyIsLetIn(store);
        assertTrue(cursor.seek(KEY));
        assertEquals(new String(KEY, StandardCharsets.US_ASCII), new String(cursor.value(), StandardCharsets.US_ASCII));
        cursor.close();
        order.add("cursor let go");
        order.add("snapshot let go");
        snapshot.close();
        closing.get(60, TimeUnit.SECONDS);
        assertEquals(List.of("cursor let go", "snapshot let go", "closed"), order);
    }

    /** Returns when the store is being closed; the one who closes it has nothing left to do but to wait. */
    private static void untilNobodyIsLetIn(RocksKvStore store) {
        while (true) {
            try {
                store.get(Family.DEFAULT, KEY);
            } catch (StorageException e) {
                return;
            }
        }
    }

    @Test
    void readersOnManyThreadsEndWithAnException(@TempDir Path folder) throws Exception {
        RocksKvStore store = new RocksKvStore(folder, 1 << 20);
        CountDownLatch busy = new CountDownLatch(8);
        List<CompletableFuture<StorageException>> readers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            CompletableFuture<StorageException> end = new CompletableFuture<>();
            readers.add(end);
            Thread reader = new Thread(() -> {
                try {
                    for (int n = 0; ; n++) {
                        store.get(Family.DEFAULT, KEY);
                        store.first(Family.DEFAULT, KEY, null);
                        if (n == 100) {
                            busy.countDown();
                        }
                    }
                } catch (StorageException e) {
                    end.complete(e);
                }
            });
            reader.setDaemon(true);
            reader.start();
        }
        assertTrue(busy.await(60, TimeUnit.SECONDS));
        store.close();
        for (CompletableFuture<StorageException> reader : readers) {
            assertTrue(reader.get(60, TimeUnit.SECONDS).getMessage().endsWith("is closed."));
        }
    }
}
