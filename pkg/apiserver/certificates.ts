import { createPrivateKey, type webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** A certificate and its private key, both PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

const dayMs = 86_400_000;
/** For how long a certificate is valid. A server renews its own while it runs; clients keep the authority's. */
const authorityDays = 3650;
const serverDays = 365;

/** A new authority of its own: whoever trusts its certificate trusts what it signs, and nothing else does. */
export async function makeAuthority(nowMs: number): Promise<Certified> {
  const x509 = await library();
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=bosun-ca",
    serialNumber: serialNumber(),
    ...validity(nowMs, authorityDays),
    keys,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate.toString("pem")), key: await exported(keys.privateKey) };
}

/**
 * A new certificate for a server on this machine, signed by `authority`.
 *
 * @param names - IP addresses and DNS names under which the server may be asked
 */
export async function makeServerCertificate(
  authority: Certified,
  names: readonly string[],
  nowMs: number,
): Promise<Certified> {
  const x509 = await library();
  const keys = await makeKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=bosun",
    issuer: issuer.subject,
    serialNumber: serialNumber(),
    ...validity(nowMs, serverDays),
    publicKey: keys.publicKey,
    signingKey: await imported(authority.key),
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate.toString("pem")), key: await exported(keys.privateKey) };
}

/** The certificate and its key out of one text; undefined where one is missing or damaged, or they don't fit. */
export function parseCertified(text: string): Certified | undefined {
  const [key] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text) ?? [];
  const [certificate] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text) ?? [];
  if (key === undefined || certificate === undefined) return undefined;
  try {
    const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return fits ? { certificate, key } : undefined;
  } catch {
    // Nothing that can be read between those lines.
    return undefined;
  }
}

/** Whether less than a third of the certificate's time is left at `nowMs`, or all of it is still to come. */
export function isDue({ certificate }: Certified, nowMs: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const from = validFromDate.getTime();
  const to = validToDate.getTime();
  return nowMs < from || to - nowMs < (to - from) / 3;
}

/** Whether `authority` signed the certificate, and it is for all of `names`. */
export function isServerCertificate(
  { certificate }: Certified,
  authority: Certified,
  names: readonly string[],
): boolean {
  const found = new X509Certificate(certificate);
  return (
    found.verify(new X509Certificate(authority.certificate).publicKey) &&
    names.every((name) => (isIP(name) === 0 ? found.checkHost(name) : found.checkIP(name)) !== undefined)
  );
}

const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

/** Loaded when a certificate has to be made, once in many months. The library needs decorators' metadata. */
async function library() {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
}

async function exported(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = bytes.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function imported(key: string): Promise<webcrypto.CryptoKey> {
  const bytes = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  return crypto.subtle.importKey("pkcs8", bytes, keyAlgorithm, false, ["sign"]);
}

/** An hour back: clocks of one machine may still be set. */
function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - 3_600_000), notAfter: new Date(nowMs + days * dayMs) };
}

/** 127 random bits: a serial number is positive. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

function pem(text: string): string {
  return `${text.trim()}\n`;
}
