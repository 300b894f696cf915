/**
 * How a store of private keys begins, as hexadecimal digits: Java's own formats (JKS, JCEKS), or PKCS#12 (RFC 7292): a
 * sequence, of a known or an indefinite length, of version 3 and what is held, plain or signed.
 */
const beginning = (() => {
  const length = "(?:[0-7].|80|81.{2}|82.{4}|83.{6}|84.{8})";
  const pkcs12 = `30${length}02010330${length}06092a864886f70d01070[12]`;
  return new RegExp(`^(?:feedfeed0000000[12]|cececece0000000[12]|${pkcs12})`);
})();

/** Enough for the longest beginning. */
const beginningBytes = 32;

/** Whether a file holds private keys by what it is, whatever its name: `keytool` gives one any name. */
export function isKeyStore(content: Buffer): boolean {
  return beginning.test(content.subarray(0, beginningBytes).toString("hex"));
}
