import { Button, Code, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { makeRecoveryCodes, secondFactor } from "../../api/login";
import { queries } from "../../api/queries";
import { ProblemNote } from "../../parts/Problems";
import { save } from "../../parts/save";
import { useText } from "../../text";
import { Part } from "./Account";

// Factor tells of the second factor, and makes recovery codes for the day when the authenticator is lost.
export function Factor() {
  const t = useText();
  const [code, setCode] = useState("");
  const { data, error } = useQuery(secondFactor);
  const make = useMutation({
    mutationFn: () => makeRecoveryCodes(code.trim()),
    onSuccess: () => {
      setCode("");
      void queries.invalidateQueries({ queryKey: secondFactor.queryKey });
    },
  });
  const made = make.data?.recovery_codes;
  return (
    <Part title={t.account.factor.title}>
      <Stack gap="sm">
        <ProblemNote problem={error} />
        {data && (!data.required || !data.confirmed) && (
          <Text fz="sm" c="dimmed">
            {t.account.factor.off}
          </Text>
        )}
        {data?.required && data.confirmed && (
          <>
            <Text fz="sm">{t.account.factor.on}</Text>
            <Text fz="sm" c="dimmed">
              {t.account.factor.left(data.recovery_codes)}
            </Text>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (code.trim()) make.mutate();
              }}
            >
              <Stack gap="sm" maw={380}>
                <TextInput label={t.account.factor.code} autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.currentTarget.value)} />
                <ProblemNote problem={make.error} />
                <Button type="submit" variant="default" w="fit-content" loading={make.isPending}>
                  {t.account.factor.make}
                </Button>
              </Stack>
            </form>
          </>
        )}
        {made && (
          <Stack gap="xs">
            <Text fz="sm">{t.account.factor.made}</Text>
            <SimpleGrid cols={{ base: 2, xs: 5 }} spacing="xs">
              {made.map((one) => (
                <Code key={one} fz="sm" ta="center">
                  {one}
                </Code>
              ))}
            </SimpleGrid>
            <Button size="compact-sm" variant="default" w="fit-content" leftSection={<IconDownload size={14} />} onClick={() => save("recovery-codes.txt", `${made.join("\n")}\n`, "text/plain")}>
              {t.account.factor.keep}
            </Button>
          </Stack>
        )}
      </Stack>
    </Part>
  );
}
