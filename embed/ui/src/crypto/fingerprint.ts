// Fingerprints of public keys, as openssl tells them: SHA-256 of the key's DER form.
import { bytesOf } from "./base64";
import { pemOf } from "./message";

// fingerprint is 32 pairs of digits with colons between, undefined for what is no public key.
export async function fingerprint(key: string): Promise<string | undefined> {
  try {
    const inner = /-----BEGIN (?:RSA )?PUBLIC KEY-----([\s\S]+?)-----END/.exec(key.includes("-----BEGIN") ? key : pemOf(key.replaceAll(/\s/g, "")))?.[1];
    if (!inner) return undefined;
    const der = bytesOf(inner.replaceAll(/\s/g, ""));
    if (crypto.subtle === undefined) return undefined; // a connection without encryption
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der as BufferSource));
    return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  } catch {
    return undefined;
  }
}
