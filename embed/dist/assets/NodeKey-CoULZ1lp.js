import{J as e,Kn as t,qt as n,yn as r}from"./base-CFCdbPwt.js";import{t as i}from"./save-CsGAOBZ0.js";import{t as a}from"./Secret-CrMQ4HdX.js";import{c as o}from"./text-Cxrowxa2.js";import{y as s}from"./Problems-mpPgyKvt.js";function c({key:e,file:t,encrypted:n}){let{protocol:r,hostname:i,port:a}=location,o=JSON.stringify;return`# Configuration of a node. Put the path of its data behind "default" of databases. A node runs in a
# container: on the server's own machine it finds it at http://172.17.0.1 on Linux and at
# http://host.docker.internal with Docker Desktop, so change server_url there.
application:
  api_key: ${o(e)}
  server_url: ${o(`${r}//${i}`)}
  port: ${o(a||(r===`https:`?`443`:`80`))}
  api_path: ${o(s.api)}
  task_dir: ${o(`${t}-tasks`)}
  databases:
    default: ${o(`/path/to/${t}-data.csv`)}
  encryption:
    enabled: ${n}
    private_key: ${o(n?`/path/to/${t}-privkey.pem`:``)}
  logging:
    level: DEBUG
    file: ${o(`${t}.log`)}
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
`}function l(e,t){let n=(e??``).toLowerCase().replaceAll(/[^a-z0-9]+/g,`-`).replaceAll(/^-+|-+$/g,``);return n?`${n}-${t}`:`node-${t}`}var u=t();function d({id:t,name:s,apiKey:d,encrypted:f}){let p=o(),m=l(s,t);return(0,u.jsxs)(n,{gap:`xs`,align:`stretch`,children:[(0,u.jsx)(a,{label:p.nodes.keyOf(s??String(t)),value:d}),(0,u.jsx)(r,{variant:`default`,leftSection:(0,u.jsx)(e,{size:16}),onClick:()=>i(`${m}.yaml`,c({key:d,file:m,encrypted:f}),`application/yaml`),children:p.nodes.configFile})]})}export{d as t};