import { isFields } from "./object.ts";

type FieldSearch = { readonly value: object; readonly at: Set<string> };

/**
 * Runs a validator over a value and returns the fields it never asked for, as paths: fields its schema does not have.
 * Generated validators ask for every property of their schema, present or not, and for all keys where any may stand;
 * they do not complain about others. An object that nothing was asked of may hold anything.
 */
export function unknownFields(value: object, validate: (watched: object) => void): readonly string[] {
  const looked = new Map<string, FieldSearch>();
  validate(watch(value, "", looked));
  return [...looked].flatMap(([path, { value: inner, at }]) => {
    if (Array.isArray(inner) || !isFields(inner) || at.size === 0) return [];
    return Object.keys(inner)
      .filter((field) => !at.has(field))
      .map((field) => `${path}/${field}${nearest(field, at)}`);
  });
}

function watch(value: object, path: string, looked: Map<string, FieldSearch>): object {
  const at = new Set<string>();
  looked.set(path, { value, at });
  const inner = new Map<string, object>();
  return new Proxy(value, {
    get: (target, key) => {
      const found: unknown = Reflect.get(target, key);
      if (typeof key !== "string") return found;
      at.add(key);
      if (typeof found !== "object" || found === null) return found;
      const watched = inner.get(key) ?? watch(found, `${path}/${key}`, looked);
      inner.set(key, watched);
      return watched;
    },
  });
}

/** ", not the known `replicas`?" for a field that differs little from a known one. */
function nearest(field: string, known: ReadonlySet<string>): string {
  const letters = (text: string) => [...text.toLowerCase()].toSorted().join("");
  const close = [...known].find(
    (name) =>
      name.toLowerCase() === field.toLowerCase() ||
      letters(name) === letters(field) ||
      name.startsWith(field) ||
      field.startsWith(name),
  );
  return close === undefined ? "" : `, did you mean ${close}`;
}
