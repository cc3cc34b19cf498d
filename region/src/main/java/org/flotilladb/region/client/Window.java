package org.flotilladb.region.client;

import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Runs many requests, a few at a time. After a failure no more are begun, and the result fails with it once those under way
 * have ended. Requests may end on any thread, also before they are begun returns.
 */
final class Window {
    private final Iterator<? extends Supplier<? extends CompletableFuture<?>>> requests;
    private final int width;
    private final CompletableFuture<Void> result = new CompletableFuture<>();
    private int underWay;
    private boolean filling;
    private Throwable failure;

    private Window(Iterable<? extends Supplier<? extends CompletableFuture<?>>> requests, int width) {
        this.requests = requests.iterator();
        this.width = width;
    }

    static CompletableFuture<Void> run(
            Iterable<? extends Supplier<? extends CompletableFuture<?>>> requests, int width) {
        Window window = new Window(requests, width);
        window.fill();
        return window.result;
    }

    private void fill() {
        synchronized (this) {
            if (filling) {
                // A request has ended while it was begun: whoever begins them goes on.
                return;
            }
            filling = true;
        }
        for (Supplier<? extends CompletableFuture<?>> next = next(); next != null; next = next()) {
            next.get().whenComplete((done, thrown) -> ended(thrown));
        }
    }

    /** The next to begin; null when none may, and then the result may be known. */
    private Supplier<? extends CompletableFuture<?>> next() {
        Throwable why;
        synchronized (this) {
            if (underWay < width && failure == null && requests.hasNext()) {
                underWay++;
                return requests.next();
            }
            filling = false;
            if (underWay > 0) {
                return null;
            }
            why = failure;
        }
        if (why == null) {
            result.complete(null);
        } else {
            result.completeExceptionally(why);
        }
        return null;
    }

    private void ended(Throwable thrown) {
        synchronized (this) {
            underWay--;
            if (failure == null) {
                failure = thrown;
            }
        }
        fill();
    }
}
