package org.flotilladb.driver.keyspace;

import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.proto.PlacementSettings;

/** The Placement Driver's settings by name: those of the message's fields, so that a new one is known here at once. */
final class PlacementSettingNames {
    private PlacementSettingNames() {}

    static SortedMap<String, String> toMap(PlacementSettings settings) {
        TreeMap<String, String> map = new TreeMap<>();
        settings.getAllFields().forEach((field, value) -> map.put(field.getName(), String.valueOf(value)));
        return map;
    }

    /** One setting, from what a person has written. */
    static PlacementSettings parse(String name, String value) {
        FieldDescriptor field =
                PlacementSettings.getDescriptor().findFieldByName(name.strip().toLowerCase(Locale.ROOT));
        if (field == null) {
            TreeMap<String, FieldDescriptor> known = new TreeMap<>();
            PlacementSettings.getDescriptor().getFields().forEach(each -> known.put(each.getName(), each));
            throw refused("There is no placement setting '" + name + "'; there are " + String.join(", ", known.keySet())
                    + ".");
        }
        return PlacementSettings.newBuilder()
                .setField(field, value(field, value.strip()))
                .build();
    }

    private static Object value(FieldDescriptor field, String text) {
        if (field.getJavaType() == FieldDescriptor.JavaType.BOOLEAN) {
            return switch (text.toLowerCase(Locale.ROOT)) {
                case "true", "on" -> true;
                case "false", "off" -> false;
                default -> throw refused(field.getName() + " is true or false, not '" + text + "'.");
            };
        }
        try {
            return switch (field.getJavaType()) {
                case INT -> Integer.parseInt(text);
                case LONG -> Long.parseLong(text);
                default -> throw new IllegalStateException("a setting of another type: " + field.getName());
            };
        } catch (NumberFormatException e) {
            throw refused(field.getName() + " is a whole number, not '" + text + "'.");
        }
    }

    private static KeySpaceException refused(String message) {
        return new KeySpaceException(KeySpaceException.Kind.REFUSED, message);
    }
}
