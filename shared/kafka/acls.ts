import {
  AclOperations,
  AclPermissionTypes,
  Admin as KafkaAdmin,
  ResourcePatternTypes,
  ResourceTypes,
} from "@platformatic/kafka";
import type { Log } from "../role/log.ts";
import { deadline } from "../waiting/wait.ts";
import { clientOptions, type KafkaConfig } from "./settings.ts";
import { within } from "./within.ts";

/** One rule of the broker, in Kafka's words. `name` is as on the broker, with the deployment's prefix. */
export type Acl = Readonly<{
  /** As `User:task-service`. */
  principal: string;
  host: string;
  resource: keyof typeof ResourceTypes;
  name: string;
  pattern: keyof typeof ResourcePatternTypes;
  operation: keyof typeof AclOperations;
  permission: keyof typeof AclPermissionTypes;
}>;

/** Reading takes DESCRIBE on the cluster, changing ALTER: an administrator's, which no role has. */
export type AclAdmin = AsyncDisposable &
  Readonly<{
    list: () => Promise<readonly Acl[]>;
    /** Those that are there already stay as they are. */
    create: (acls: readonly Acl[]) => Promise<void>;
    /** Exactly these; those that are gone already are fine. */
    remove: (acls: readonly Acl[]) => Promise<void>;
  }>;

const answerMs = 20_000;

/** Connects at the first call; every call is answered in time or rejects. */
export function openAclAdmin(
  config: KafkaConfig,
  { clientId, log }: Readonly<{ clientId: string; log: Log }>,
): AclAdmin {
  const client = new KafkaAdmin({ ...clientOptions(config, clientId), retries: 3, requestTimeout: 10_000 });
  client.on("error", (error: Error) => log.warn("kafka_admin_error", { error }));
  const inTime = <T>(what: string, work: Promise<T>) => deadline(answerMs, `Kafka was asked to ${what}`, work);
  return {
    list: async () => {
      const found = await inTime("list its ACLs", client.describeAcls({ filter: everything }));
      return found.flatMap(({ resourceType, resourceName, resourcePatternType, acls }) =>
        acls.map(({ principal, host, operation, permissionType }) => ({
          principal,
          host,
          resource: nameIn(ResourceTypes, resourceType),
          name: resourceName,
          pattern: nameIn(ResourcePatternTypes, resourcePatternType),
          operation: nameIn(AclOperations, operation),
          permission: nameIn(AclPermissionTypes, permissionType),
        })),
      );
    },
    create: async (acls) => {
      if (acls.length > 0) await inTime("create ACLs", client.createAcls({ creations: acls.map(toWire) }));
    },
    remove: async (acls) => {
      if (acls.length > 0) await inTime("delete ACLs", client.deleteAcls({ filters: acls.map(toWire) }));
    },
    [Symbol.asyncDispose]: () => within(2_000, client.close()),
  };
}

const everything = {
  resourceType: ResourceTypes.ANY,
  resourceName: null,
  resourcePatternType: ResourcePatternTypes.ANY,
  principal: null,
  host: null,
  operation: AclOperations.ANY,
  permissionType: AclPermissionTypes.ANY,
};

function toWire({ principal, host, resource, name, pattern, operation, permission }: Acl) {
  return {
    resourceType: ResourceTypes[resource],
    resourceName: name,
    resourcePatternType: ResourcePatternTypes[pattern],
    principal,
    host,
    operation: AclOperations[operation],
    permissionType: AclPermissionTypes[permission],
  };
}

/** The label of a number of the protocol; UNKNOWN for one that this client does not know. */
function nameIn<L extends string>(labels: Readonly<Record<L, number>>, value: number): L {
  // The keys of an object are its labels by construction.
  const known = Object.keys(labels) as L[];
  const found = known.find((label) => labels[label] === value) ?? known.find((label) => label === "UNKNOWN");
  if (found === undefined) throw new Error(`the broker told ${value}, which nothing names`);
  return found;
}
