// Private keys of organizations: read from files, kept in memory alone, gone with the session.
import { useSyncExternalStore } from "react";
import { atSignOut } from "../app/session";
import { pemOf } from "./message";
import type { PrivateKey } from "./rsa";

export type HeldKey = { file: string; key: PrivateKey; half: string };

let held: HeldKey[] = [];
const watchers = new Set<() => void>();

function hold(next: HeldKey[]) {
  held = next;
  for (const tell of watchers) tell();
}

atSignOut(() => hold([]));

export function useKeys(): HeldKey[] {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => held,
  );
}

// addKey reads a file with a private key. It throws when there is none in it.
export async function addKey(file: File): Promise<HeldKey> {
  const { readPrivateKey, publicHalf } = await import("./rsa");
  const key = readPrivateKey(await file.text());
  const found = { file: file.name, key, half: publicHalf(key) };
  hold([...held.filter((other) => other.half !== found.half), found]);
  return found;
}

export const dropKeys = () => hold([]);

// fitting is the key that belongs to the public key of an organization.
export async function fitting(keys: HeldKey[], publicKey: string): Promise<HeldKey | undefined> {
  if (keys.length === 0 || !publicKey) return undefined;
  const { modulus } = await import("./rsa");
  try {
    const half = modulus(pemOf(publicKey));
    return keys.find((key) => key.half === half);
  } catch {
    return undefined; // what is stored there is no public key
  }
}
