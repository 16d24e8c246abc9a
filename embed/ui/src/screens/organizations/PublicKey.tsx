import { Alert, Button, Code, FileButton, Group, Paper, Stack, Text, Textarea, Title } from "@mantine/core";
import { IconFileUpload, IconKey } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { changeOrganization, type Organization } from "../../api/organizations";
import { fingerprint } from "../../crypto/fingerprint";
import { Allowed } from "../../parts/Allowed";
import { Breakable } from "../../parts/Breakable";
import { done } from "../../parts/done";
import { EditForm } from "../../parts/EditForm";
import { useText } from "../../text";

const useFingerprint = (key: string) => useQuery({ queryKey: ["fingerprint", key], enabled: Boolean(key), queryFn: async () => (await fingerprint(key)) ?? "" });

// PublicKey shows the key that others encrypt with for an organization, and takes another one.
export function PublicKey({ organization: one }: { organization: Organization }) {
  const t = useText();
  const [opened, open] = useState(false);
  const [text, write] = useState("");
  const { data: print } = useFingerprint(one.public_key ?? "");
  const { data: next } = useFingerprint(text.trim());
  const saving = useMutation({
    mutationFn: () => changeOrganization(one.id, { public_key: text.trim() }),
    onSuccess: () => {
      done(t.organizations.keyStored, "organization");
      close();
    },
  });
  const close = () => {
    open(false);
    write("");
    saving.reset();
  };
  return (
    <Paper>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{t.organizations.key}</Title>
        <Allowed method="PATCH" path={`/organization/${one.id}`}>
          <Button variant="default" leftSection={<IconKey size={16} />} onClick={() => open(true)}>
            {one.public_key ? t.organizations.replaceKey : t.organizations.uploadKey}
          </Button>
        </Allowed>
      </Group>
      {one.public_key ? (
        <Stack gap={4}>
          <Text fz="xs" c="dimmed">
            {t.organizations.fingerprint}
          </Text>
          <Print print={print} />
        </Stack>
      ) : (
        <Text fz="sm" c="dimmed">
          {t.organizations.noKeyText}
        </Text>
      )}
      <EditForm opened={opened} title={t.organizations.uploadKey} close={close} submit={(event) => { event?.preventDefault(); saving.mutate(); }} act={saving}>
        <Text fz="sm">{t.organizations.keyHint}</Text>
        <FileButton accept=".pem,.pub,.txt" onChange={(file) => void file?.text().then(write)}>
          {(props) => (
            <Button variant="default" leftSection={<IconFileUpload size={16} />} {...props}>
              {t.organizations.fromFile}
            </Button>
          )}
        </FileButton>
        <Textarea
          label={t.organizations.keyText}
          autosize
          minRows={5}
          maxRows={10}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }}
          value={text}
          onChange={(event) => write(event.currentTarget.value)}
        />
        {text.trim() && next !== undefined && (
          <Stack gap={4}>
            <Text fz="xs" c="dimmed">
              {t.organizations.fingerprint}
            </Text>
            <Print print={next} />
          </Stack>
        )}
        {one.public_key && <Alert variant="light" color="yellow">{t.organizations.replaceText}</Alert>}
      </EditForm>
    </Paper>
  );
}

function Print({ print }: { print: string | undefined }) {
  const t = useText();
  if (print === undefined) return null;
  if (!print) return <Text fz="sm">{window.isSecureContext ? t.organizations.notAKey : t.organizations.needsHttps}</Text>;
  return (
    <Code style={{ overflowWrap: "anywhere" }}>
      <Breakable text={`SHA-256 ${print}`} behind={/(?<=:)/} />
    </Code>
  );
}
