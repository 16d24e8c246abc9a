// RSA with PKCS#1 v1.5, which 3.x uses for the key of a message and WebCrypto does not have.
// This file comes with its library only when somebody encrypts or decrypts.
import forge from "node-forge";

export type PrivateKey = forge.pki.rsa.PrivateKey;

const raw = (bytes: Uint8Array) => forge.util.binary.raw.encode(bytes);
const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

// readPrivateKey takes PEM: PKCS#1 as 3.x writes it, or PKCS#8. It throws for anything else.
export const readPrivateKey = (pem: string): PrivateKey => forge.pki.privateKeyFromPem(pem);

// publicKeyOf names the public half of a private key, so that it can be compared.
export const publicHalf = (key: PrivateKey) => key.n.toString(16);
export const modulus = (pem: string) => forge.pki.publicKeyFromPem(pem).n.toString(16);

export function encryptKey(key: Uint8Array, publicPem: string): Uint8Array {
  return bytes(forge.pki.publicKeyFromPem(publicPem).encrypt(raw(key), "RSAES-PKCS1-V1_5"));
}

export function decryptKey(encrypted: Uint8Array, key: PrivateKey): Uint8Array<ArrayBuffer> {
  return bytes(key.decrypt(raw(encrypted), "RSAES-PKCS1-V1_5"));
}

// fingerprint is SHA-256 of the public key as X.509 has it, in pairs of digits.
export function fingerprint(publicPem: string): string {
  const der = forge.asn1.toDer(forge.pki.publicKeyToAsn1(forge.pki.publicKeyFromPem(publicPem))).getBytes();
  return forge.md.sha256.create().update(der).digest().toHex().replaceAll(/(..)(?=.)/g, "$1:");
}
