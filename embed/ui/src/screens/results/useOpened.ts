import { useEffect, useMemo, useState } from "react";
import { organization, type Organization } from "../../api/organizations";
import { useSeen } from "../../api/rights";
import { fitting, useKeys } from "../../crypto/keys";
import { decrypt } from "../../crypto/message";
import { type Payload, read, recognize } from "../../crypto/payload";

export type Opened = {
  payload: Payload;
  sealed: boolean; // it is encrypted and not decrypted (yet)
  owner: Organization | undefined;
  failed: boolean; // the key fits the organization, and yet it could not be decrypted
};

// useOpened decodes what is stored, and decrypts it as soon as a key of its organization is there.
export function useOpened(stored: string | null, owner: number | null): Opened {
  const first = useMemo(() => read(stored), [stored]);
  const keys = useKeys();
  const { data: whose } = useSeen("organization", { ...organization(owner ?? 0), enabled: first.kind === "sealed" && owner !== null });
  const [clear, setClear] = useState<{ of: string; payload?: Payload; failed: boolean }>();
  const sealed = first.kind === "sealed" ? first.text : undefined;
  useEffect(() => {
    if (sealed === undefined) return;
    let wanted = true;
    const tell = (payload?: Payload, failed = false) => wanted && setClear({ of: sealed, payload, failed });
    void (async () => {
      const key = await fitting(keys, whose?.public_key ?? "");
      if (!key) return tell();
      try {
        return tell(recognize(await decrypt(sealed, key.key)));
      } catch {
        return tell(undefined, true);
      }
    })();
    return () => {
      wanted = false;
    };
  }, [sealed, keys, whose]);
  if (sealed === undefined) return { payload: first, sealed: false, owner: undefined, failed: false };
  const mine = clear?.of === sealed ? clear : undefined;
  return { payload: mine?.payload ?? first, sealed: !mine?.payload, owner: whose, failed: mine?.failed ?? false };
}
