import { Anchor, Modal, Stack, Text } from "@mantine/core";
import { signOut } from "../../app/session";
import { useText } from "../../text";
import { SignInForm } from "./SignInForm";

// Lapsed asks for the password over the screen that somebody works on: nothing typed is lost.
export default function Lapsed({ username }: { username: string }) {
  const t = useText();
  return (
    <Modal opened onClose={() => {}} withCloseButton={false} closeOnEscape={false} closeOnClickOutside={false} title={t.signIn.title}>
      <Stack>
        <Text fz="sm">{t.signIn.lapsed(username)}</Text>
        <SignInForm name={username} />
        <Anchor component="button" fz="sm" onClick={() => signOut()}>
          {t.signIn.otherUser}
        </Anchor>
      </Stack>
    </Modal>
  );
}
