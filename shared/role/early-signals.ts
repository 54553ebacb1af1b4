/**
 * Signals to stop that came while a role was still loading its modules, in their order. Filled by `catch-signals.ts`.
 */
export const earlySignals: NodeJS.Signals[] = [];
