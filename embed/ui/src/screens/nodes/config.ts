import { place } from "../../app/place";

// nodeConfig is a configuration file for a node of this server, ready but for the place of its data.
export function nodeConfig({ key, file, encrypted }: { key: string; file: string; encrypted: boolean }): string {
  const { protocol, hostname, port } = location;
  const text = JSON.stringify;
  return `# Configuration of a node. Put the path of its data behind "default" of databases. A node runs in a
# container: on the server's own machine it finds it at http://172.17.0.1 on Linux and at
# http://host.docker.internal with Docker Desktop, so change server_url there.
application:
  api_key: ${text(key)}
  server_url: ${text(`${protocol}//${hostname}`)}
  port: ${text(port || (protocol === "https:" ? "443" : "80"))}
  api_path: ${text(place.api)}
  task_dir: ${text(`${file}-tasks`)}
  databases:
    default: ${text(`/path/to/${file}-data.csv`)}
  encryption:
    enabled: ${encrypted}
    private_key: ${text(encrypted ? `/path/to/${file}-privkey.pem` : "")}
  logging:
    level: DEBUG
    file: ${text(`${file}.log`)}
    use_console: true
    backup_count: 5
    max_size: 1024
    format: "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s"
    datefmt: "%Y-%m-%d %H:%M:%S"
environments:
  dev: {}
  test: {}
  acc: {}
  prod: {}
`;
}

// fileName is a name of a file for what people named.
export function fileName(name: string | null | undefined, id: number): string {
  const plain = (name ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return plain ? `${plain}-${id}` : `node-${id}`;
}
