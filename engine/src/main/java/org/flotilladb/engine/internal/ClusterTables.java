package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.ClusterTable.column;

import java.util.ArrayDeque;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.ClusterAdmin.OperatorLine;
import org.flotilladb.engine.keyspace.ClusterAdmin.PeerPlace;
import org.flotilladb.engine.keyspace.ClusterAdmin.RegionLine;
import org.flotilladb.engine.keyspace.ClusterAdmin.RegionPage;
import org.flotilladb.engine.keyspace.ClusterAdmin.StoreLine;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.schema.Schema;
import org.h2.table.Column;
import org.h2.table.Table;
import org.h2.value.TypeInfo;
import org.h2.value.Value;
import org.h2.value.ValueBigint;
import org.h2.value.ValueBoolean;
import org.h2.value.ValueInteger;
import org.h2.value.ValueNull;
import org.h2.value.ValueVarchar;

/** What administrators see of the cluster as tables: {@code STORES}, {@code REGIONS}, {@code OPERATORS}, {@code PLACEMENT}. */
final class ClusterTables {
    private static final TypeInfo TEXT = TypeInfo.TYPE_VARCHAR;
    private static final TypeInfo NUMBER = TypeInfo.TYPE_BIGINT;
    private static final long FEW = 10;
    private static final long MANY = 1000;

    private final Schema schema;
    private final Map<String, Table> tables;

    ClusterTables(Schema schema) {
        this.schema = schema;
        this.tables = schema.getDatabase().newStringMap();
        add(
                "STORES",
                FEW,
                session -> cluster(session).stores().stream()
                        .map(ClusterTables::row)
                        .iterator(),
                column("STORE_ID", TEXT),
                column("ADDRESS", TEXT),
                column("STATE", TEXT),
                column("ALIVE", TypeInfo.TYPE_BOOLEAN),
                column("SILENT_MS", NUMBER),
                column("LABELS", TEXT),
                column("REGIONS", NUMBER),
                column("LEADERS", NUMBER),
                column("SIZE_BYTES", NUMBER),
                column("CAPACITY_BYTES", NUMBER),
                column("AVAILABLE_BYTES", NUMBER),
                column("WRITES_PER_SECOND", NUMBER),
                column("READS_PER_SECOND", NUMBER));
        add(
                "REGIONS",
                MANY,
                Regions::new,
                column("REGION_ID", NUMBER),
                column("TABLE_NAME", TEXT),
                column("KEY_RANGE", TEXT),
                column("LEADER_STORE", TEXT),
                column("LEADER", TEXT),
                column("PEERS", TEXT),
                column("PENDING_PEERS", TEXT),
                column("DOWN_PEERS", TEXT),
                column("SIZE_BYTES", NUMBER),
                column("KEY_COUNT", NUMBER),
                column("WRITES_PER_SECOND", NUMBER),
                column("READS_PER_SECOND", NUMBER),
                column("CONF_VERSION", NUMBER),
                column("RANGE_VERSION", NUMBER),
                column("START_KEY", TEXT),
                column("END_KEY", TEXT));
        add(
                "OPERATORS",
                FEW,
                session -> cluster(session).operators().stream()
                        .map(ClusterTables::row)
                        .iterator(),
                column("OPERATOR_ID", NUMBER),
                column("REGION_ID", NUMBER),
                column("KIND", TEXT),
                column("REASON", TEXT),
                column("STATE", TEXT),
                column("STEP", TypeInfo.TYPE_INTEGER),
                column("STEPS", TEXT),
                column("RUNNING", TypeInfo.TYPE_BOOLEAN),
                column("AGE_MS", NUMBER));
        add(
                "PLACEMENT",
                FEW,
                session -> cluster(session).settings().entrySet().stream()
                        .map(setting -> new Value[] {text(setting.getKey()), text(setting.getValue())})
                        .iterator(),
                column("SETTING_NAME", TEXT),
                column("SETTING_VALUE", TEXT));
    }

    private void add(
            String name, long assumedRows, Function<SessionLocal, Iterator<Value[]>> source, Column... columns) {
        Database database = schema.getDatabase();
        Column[] named = new Column[columns.length];
        for (int i = 0; i < columns.length; i++) {
            named[i] = column(database.sysIdentifier(columns[i].getName()), columns[i].getType());
        }
        String own = database.sysIdentifier(name);
        tables.put(own, new ClusterTable(schema, FunctionSchema.OBJECT_ID, own, named, assumedRows, source));
    }

    /** By their names. */
    Map<String, Table> tables() {
        return tables;
    }

    private static ClusterAdmin cluster(SessionLocal session) {
        return Mirror.of(session).keySpace().clusterAdmin();
    }

    private static Value text(String text) {
        return text == null ? ValueNull.INSTANCE : ValueVarchar.get(text);
    }

    private static Value number(long number) {
        return ValueBigint.get(number);
    }

    private static Value[] row(StoreLine store) {
        return new Value[] {
            text(StoreNames.text(store.id())),
            text(store.address()),
            text(store.state()),
            ValueBoolean.get(store.alive()),
            number(store.silentMs()),
            text(store.labels()),
            number(store.regions()),
            number(store.leaders()),
            number(store.sizeBytes()),
            store.capacityBytes() == 0 ? ValueNull.INSTANCE : number(store.capacityBytes()),
            store.capacityBytes() == 0 ? ValueNull.INSTANCE : number(store.availableBytes()),
            number(store.writesPerSecond()),
            number(store.readsPerSecond())
        };
    }

    private static Value[] row(OperatorLine operator) {
        List<String> steps = operator.steps();
        return new Value[] {
            number(operator.id()),
            number(operator.regionId()),
            text(operator.kind()),
            text(operator.reason()),
            text(operator.state()),
            ValueInteger.get(operator.step()),
            text(IntStream.range(0, steps.size())
                    .mapToObj(i -> i + ": " + steps.get(i))
                    .collect(Collectors.joining("; "))),
            ValueBoolean.get(operator.running()),
            number(operator.ageMs())
        };
    }

    /** All Regions, a page at a time. */
    private static final class Regions implements Iterator<Value[]> {
        private final ClusterAdmin cluster;
        private final KeyNames names;
        private final TreeMap<Long, String> addresses = new TreeMap<>();
        private final ArrayDeque<RegionLine> page = new ArrayDeque<>();
        private byte[] next = {};

        Regions(SessionLocal session) {
            cluster = cluster(session);
            names = new KeyNames(session);
            cluster.stores().forEach(store -> addresses.put(store.id(), store.address()));
        }

        @Override
        public boolean hasNext() {
            while (page.isEmpty() && next != null) {
                RegionPage more = cluster.regions(next);
                page.addAll(more.regions());
                next = more.next();
            }
            return !page.isEmpty();
        }

        @Override
        public Value[] next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return row(page.remove());
        }

        private Value[] row(RegionLine region) {
            byte[] start = region.range().start();
            byte[] end = region.range().end();
            boolean led = region.leaderStoreId() != 0;
            return new Value[] {
                number(region.range().id()),
                text(names.table(start, end)),
                text(names.range(start, end)),
                text(led ? StoreNames.text(region.leaderStoreId()) : null),
                text(led ? addresses.get(region.leaderStoreId()) : null),
                text(region.peers().stream().map(Regions::peer).collect(Collectors.joining(","))),
                text(stores(region, region.pendingPeers())),
                text(stores(region, region.downPeers())),
                number(region.sizeBytes()),
                number(region.keys()),
                number(region.writesPerSecond()),
                number(region.readsPerSecond()),
                number(region.confVersion()),
                number(region.rangeVersion()),
                text(HexFormat.of().formatHex(start)),
                text(HexFormat.of().formatHex(end))
            };
        }

        private static String peer(PeerPlace peer) {
            return StoreNames.text(peer.storeId()) + (peer.role().isEmpty() ? "" : " (" + peer.role() + ")");
        }

        private static String stores(RegionLine region, List<Long> peers) {
            return region.peers().stream()
                    .filter(peer -> peers.contains(peer.peerId()))
                    .map(peer -> StoreNames.text(peer.storeId()))
                    .collect(Collectors.joining(","));
        }
    }
}
