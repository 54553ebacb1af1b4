import { join } from "node:path";
import { rolePorts } from "../../shared/role/role-ports.ts";

/** Where a checkout keeps what belongs to running it; all of it may be deleted while nothing runs. */
export function directoriesOf(checkout: string): Readonly<{
  state: string;
  parts: string;
  /** Files of secrets drawn once. */
  authSecret: string;
  operatorToken: string;
}> {
  const root = join(checkout, ".dev");
  return {
    state: join(root, "dev"),
    parts: join(root, "parts"),
    authSecret: join(root, "auth-secret"),
    operatorToken: join(root, "operator-token"),
  };
}

/** The ports tried first: those people know these servers by. */
export const usualPorts = { postgres: 5432, kafka: 9092, registry: 8081, redis: 6379 } as const;

/** For the application; the second and third keep clear of the registry and the roles. */
export const usualAppPorts = [rolePorts["ui-gateway"], 8480, 8880] as const;
