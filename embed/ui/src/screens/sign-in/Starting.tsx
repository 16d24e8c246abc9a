import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { resume } from "../../app/session";
import { useText } from "../../text";

const every = 3000; // milliseconds between two tries

// Starting is shown while a kept session is taken up again, and while the server is away.
export function Starting({ away }: { away: boolean }) {
  const t = useText();
  useEffect(() => {
    if (!away) return;
    const timer = setTimeout(() => void resume(), every);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <Center mih="100vh">
      <Stack align="center" role="status">
        <Loader type="dots" />
        <Text c="dimmed">{away ? t.signIn.stillAway : t.signIn.starting}</Text>
        {away && (
          <Button variant="default" onClick={() => void resume()}>
            {t.common.retry}
          </Button>
        )}
      </Stack>
    </Center>
  );
}
