export const tiers = ["unit", "kernel", "contract", "flow", "browser"] as const;
type Tier = (typeof tiers)[number];

export type TestArguments = Readonly<{ tiers: readonly Tier[]; long: boolean; filters: readonly string[] }>;

/** Only these run without the stack. */
export const needsStack = (tier: Tier): boolean => tier !== "unit";

/** Generous limits per test: a flow waits for real timers, brokers and restarts on a machine that may be busy. */
export const timeoutMs: Readonly<Record<Tier, number>> = {
  unit: 10_000,
  kernel: 60_000,
  contract: 60_000,
  flow: 120_000,
  browser: 120_000,
};

/**
 * Test files side by side. Contract tests mostly wait (for leases, sessions, tiers), each in a database and under a
 * prefix of its own. The kernel's property test fills two cores with six worlds at once. A flow test is a system of
 * nine roles that waits, too, for timers and takeovers.
 */
export const parallelFiles: Readonly<Record<Tier, number>> = {
  unit: 2,
  kernel: 2,
  contract: 4,
  flow: 2,
  browser: 2,
};

const testUsage = `npx bun run test [unit|kernel|contract|flow|browser]… [--long] [path…]
  no tier      all of them, in this order
  a path       only these files, in the tier that holds them
  --long       also the tests that take minutes (they see LONG_TESTS=1)
Environment: REQUIRE_ALL=1 fails what would be skipped; DATABASE_URL and the like are used instead of starting a stack`;

/** Reads the command line. Throws, in words for the user, for what it does not know. */
export function parseTestArguments(argv: readonly string[]): TestArguments {
  const chosen = new Set<Tier>();
  const filters: string[] = [];
  let long = false;
  for (const argument of argv) {
    const tier = tiers.find((name) => name === argument);
    const tierOfPath = tiers.find((name) => argument.replace(/^\.\//, "").startsWith(`test/${name}/`));
    if (tier !== undefined) chosen.add(tier);
    else if (argument === "--long") long = true;
    else if (tierOfPath !== undefined) {
      chosen.add(tierOfPath);
      filters.push(argument);
    } else throw new Error(`"${argument}" is neither a tier nor a path under test/<tier>/.\n${testUsage}`);
  }
  return { tiers: chosen.size === 0 ? tiers : tiers.filter((tier) => chosen.has(tier)), long, filters };
}
