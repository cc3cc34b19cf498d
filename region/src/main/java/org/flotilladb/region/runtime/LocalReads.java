package org.flotilladb.region.runtime;

import java.util.List;
import org.flotilladb.proto.LockInfo;

/**
 * The short way for reads when the Store is in this process: no messages, no hand-off, on the caller's thread. Serves
 * exactly what the Store's own request path would (lease, applied index, max_ts, in-memory locks, epoch) or nothing.
 * Safe for many threads.
 */
public interface LocalReads {

    /** The value at {@code readTs}; {@link Read#NOT_SERVED} when the caller must send a request instead. */
    Read get(byte[] key, long readTs);

    /**
     * A page of {@code [start, end)} (an empty or null end: the end of the key space), cut at the Region's border.
     *
     * @param limit rows at most, above 0
     */
    Page scan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes, long readTs);

    /** One value. At most one of value and locked is set; neither: there is none, unless it is NOT_SERVED. */
    record Read(byte[] value, LockInfo locked) {
        public static final Read NOT_SERVED = new Read(null, null);
        public static final Read ABSENT = new Read(null, null);
    }

    /**
     * Rows in order. {@code resumeKey} null: the whole range is done; else where to go on (start if ascending, exclusive
     * end if descending), possibly in the next Region. A lock ends the page before it.
     */
    record Page(List<KvReader.Pair> rows, byte[] resumeKey, LockInfo locked) {
        public static final Page NOT_SERVED = new Page(List.of(), null, null);
    }
}
