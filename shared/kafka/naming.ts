/** Between the names the product uses and those on the broker, which carry the deployment's prefix. */
export type Naming = Readonly<{
  physical: (name: string) => string;
  /** `null` for a name of another deployment. */
  logical: (name: string) => string | null;
}>;

export function makeNaming(prefix: string): Naming {
  return {
    physical: (name) => `${prefix}${name}`,
    logical: (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : null),
  };
}
