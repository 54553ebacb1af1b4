import { duration, flag, listOf, oneOfThese, only, port, shape, text, whole } from "../shape.ts";
import { readYaml, type RedpandaFiles } from "../files.ts";

/** The release whose keys stand below. */
export const consoleVersion = "v3.9.0";

// The yaml tags of backend/pkg/config, and of github.com/cloudhut/common 0.11.0 for `server`. Console refuses to start
// over a key it does not know (config.strict-validation); `login`, `enterprise` and `kafka.schemaRegistry` of version 2
// are such keys.
const tls = only({
  enabled: flag,
  caFilepath: text,
  certFilepath: text,
  keyFilepath: text,
  insecureSkipTlsVerify: flag,
  refreshInterval: duration,
});
const startup = only({
  establishConnectionEagerly: flag,
  maxRetries: whole,
  retryInterval: duration,
  maxRetryInterval: duration,
  backoffMultiplier: { type: "number" },
});
const authentication = only({
  impersonateUser: flag,
  basic: only({ username: text, password: text }),
  bearerToken: text,
});
const gitBasicAuth = only({ enabled: flag, username: text, password: text });
const git = only({
  enabled: flag,
  maxFileSize: whole,
  refreshInterval: duration,
  repository: only({ url: text, branch: text, baseDirectory: text, maxDepth: whole }),
  basicAuth: gitBasicAuth,
  ssh: only({ enabled: flag, username: text, privateKey: text, privateKeyFilepath: text, passphrase: text }),
  cloneSubmodules: flag,
});
const sasl = only({
  enabled: flag,
  impersonateUser: flag,
  username: text,
  password: text,
  mechanism: oneOfThese("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER", "AWS_MSK_IAM"),
  oauth: only({
    token: text,
    clientId: text,
    clientSecret: text,
    tokenEndpoint: text,
    scope: text,
    extensions: listOf(only({ key: text, value: text })),
    tokenFilepath: text,
  }),
  gssapi: only({
    authType: text,
    keyTabPath: text,
    kerberosConfigPath: text,
    serviceName: text,
    username: text,
    password: text,
    realm: text,
    enableFast: flag,
  }),
  awsMskIam: only({
    accessKey: text,
    secretKey: text,
    sessionToken: text,
    userAgent: text,
    region: text,
    clientTimeout: duration,
  }),
});

const consoleFile = shape(
  only(
    {
      metricsNamespace: text,
      serveFrontend: flag,
      console: only({
        topicDocumentation: only({ enabled: flag, git }),
        api: only({ enabled: flag, enabledProcedures: listOf(text) }),
      }),
      redpanda: only({ adminApi: only({ enabled: flag, urls: listOf(text), authentication, tls, startup }) }),
      kafkaConnect: only({
        enabled: flag,
        clusters: listOf(only({ name: text, url: text, tls, username: text, password: text, token: text })),
        connectTimeout: duration,
        readTimeout: duration,
        requestTimeout: duration,
      }),
      server: only({
        gracefulShutdownTimeout: duration,
        listenAddress: text,
        listenPort: port,
        readTimeout: duration,
        writeTimeout: duration,
        idleTimeout: duration,
        httpsListenPort: port,
        advertisedHttpsListenPort: port,
        compressionLevel: whole,
        basePath: text,
        setBasePathFromXForwardedPrefix: flag,
        stripPrefix: flag,
        tls: only({ enabled: flag, certFilepath: text, keyFilepath: text }),
        allowedOrigins: listOf(text),
        debug: only({ enabled: flag, forceLoopback: flag }),
      }),
      kafka: only({ brokers: listOf(text), clientId: text, rackId: text, tls, sasl, startup }, ["brokers"]),
      serde: only({
        maxDeserializationPayloadSize: whole,
        protobuf: only({
          enabled: flag,
          git,
          fileSystem: only({ enabled: flag, refreshInterval: duration, paths: listOf(text), skipHiddenFiles: flag }),
          mappings: listOf(only({ topicName: text, keyProtoType: text, valueProtoType: text })),
          importPaths: listOf(text),
          bufSchemaRegistry: only({ enabled: flag, url: text, token: text }),
        }),
        messagePack: only({ enabled: flag, topicNames: listOf(text) }),
        cbor: only({ enabled: flag, topicName: text }),
      }),
      schemaRegistry: only({ enabled: flag, urls: listOf(text), authentication, tls }),
      sql: only({ enabled: flag, url: text, authentication, tls, maxConnections: whole }),
      logger: only({ level: oneOfThese("debug", "info", "warn", "error", "fatal") }),
      analytics: only({ enabled: flag }),
    },
    ["kafka"],
  ),
);

/** Console's own files. */
export function examineConsole(files: RedpandaFiles): readonly string[] {
  return [...files]
    .filter(([path]) => path.split("/").at(-1) === "console.yaml")
    .flatMap(([path, content]) => consoleFile(readYaml(content)[0]).map((complaint) => `${path}: ${complaint}`));
}
