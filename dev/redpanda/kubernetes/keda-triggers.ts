/**
 * What a trigger of KEDA takes: `metadata` as its own, `parameters` from a TriggerAuthentication. Read from the scalers
 * of github.com/kedacore/keda at v2.20.2 (pkg/scalers); its resource definition lets any name pass.
 */
export const kedaTriggers: Readonly<
  Record<
    string,
    Readonly<{
      required: readonly string[];
      metadata: Readonly<Record<string, readonly string[] | "text" | "number" | "flag">>;
      parameters: readonly string[];
    }>
  >
> = {
  kafka: {
    required: ["bootstrapServers", "consumerGroup"],
    metadata: {
      bootstrapServers: "text",
      consumerGroup: "text",
      topic: "text",
      partitionLimitation: "text",
      lagThreshold: "number",
      activationLagThreshold: "number",
      offsetResetPolicy: ["latest", "earliest"],
      allowIdleConsumers: "flag",
      excludePersistentLag: "flag",
      scaleToZeroOnInvalidOffset: "flag",
      limitToPartitionsWithLag: "flag",
      ensureEvenDistributionOfPartitions: "flag",
      version: "text",
      tls: ["enable", "disable"],
      unsafeSsl: "flag",
      sasl: ["none", "plaintext", "scram_sha256", "scram_sha512", "oauthbearer", "gssapi"],
      saslTokenProvider: ["bearer", "aws_msk_iam"],
      awsRegion: "text",
    },
    parameters: [
      ..."tls ca cert key keyPassword sasl username password saslTokenProvider scopes oauthTokenEndpointUri".split(" "),
      ..."oauthExtensions keytab realm kerberosConfig kerberosServiceName kerberosDisableFAST".split(" "),
    ],
  },
  prometheus: {
    required: ["serverAddress", "query", "threshold"],
    metadata: {
      serverAddress: "text",
      query: "text",
      queryParameters: "text",
      threshold: "number",
      activationThreshold: "number",
      namespace: "text",
      customHeaders: "text",
      ignoreNullValues: "flag",
      unsafeSsl: "flag",
      awsRegion: "text",
      timeout: "text",
      identityOwner: "text",
      authModes: "text",
    },
    parameters: "username password cert key ca bearerToken apiKey customAuthHeader customAuthValue".split(" "),
  },
  cpu: { required: ["value"], metadata: { value: "text", containerName: "text" }, parameters: [] },
};
