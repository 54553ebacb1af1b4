import manifest from "../../package.json" with { type: "json" };

/** The version of this build, as its package says. */
export function serviceVersion(): string {
  return manifest.version;
}
