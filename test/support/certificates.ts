import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

/** PEM files of one certificate: with its key in one file (as Kafka wants it), and each alone. */
type CertificateFiles = Readonly<{ both: string; certificate: string; key: string }>;

/** An authority of a test's own; nobody trusts it but who is told of its file. */
export type Authority = Readonly<{
  caFile: string;
  /** A certificate for these names; `localhost` unless told. */
  issue: (commonName: string, names?: readonly string[]) => Promise<CertificateFiles>;
}>;

const dayMs = 86_400_000;
const common = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** Makes an authority whose files lie in `directory`; what it issues is valid from yesterday for a month. */
export async function openAuthority(directory: string): Promise<Authority> {
  mkdirSync(directory, { recursive: true });
  const now = Date.now();
  const validity = { notBeforeDate: new Date(now - dayMs), notAfterDate: new Date(now + 30 * dayMs) };
  const authority = await generate([{ name: "commonName", value: "Taskwire test authority" }], {
    ...common,
    ...validity,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const write = (file: string, text: string): string => {
    const path = join(directory, file);
    writeFileSync(path, text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600 });
    return path;
  };
  return {
    caFile: write("ca.pem", authority.cert),
    issue: async (commonName, names = ["localhost"]) => {
      const { cert, private: key } = await generate([{ name: "commonName", value: commonName }], {
        ...common,
        ...validity,
        ca: { key: authority.private, cert: authority.cert },
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, critical: true },
          { name: "extKeyUsage", serverAuth: true, clientAuth: true },
          {
            name: "subjectAltName",
            altNames: names.map((name) => (/^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name })),
          },
        ],
      });
      return {
        both: write(`${commonName}.both.pem`, `${key.trim()}\n${cert}`),
        certificate: write(`${commonName}.pem`, cert),
        key: write(`${commonName}.key.pem`, key),
      };
    },
  };
}
