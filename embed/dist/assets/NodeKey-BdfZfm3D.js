import{An as e,Dn as t,J as n,Jt as r,Kn as i,sn as a,yn as o}from"./base-CS7C8g18.js";import{r as s}from"./save-Qstdza7o.js";import{t as c}from"./Secret-Cky0YXaQ.js";import{c as l}from"./text-D88wUL-q.js";import{y as u}from"./Problems-Dv5c6YQS.js";function d({key:e,file:t,encrypted:n}){let{protocol:r,hostname:i,port:a}=location,o=JSON.stringify;return`# Configuration of a node. Put the path of its data behind "default" of databases. A node runs in a
# container: on the server's own machine it finds it at http://172.17.0.1 on Linux and at
# http://host.docker.internal with Docker Desktop, so change server_url there.
application:
  api_key: ${o(e)}
  server_url: ${o(`${r}//${i}`)}
  port: ${o(a||(r===`https:`?`443`:`80`))}
  api_path: ${o(u.api)}
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
`}function f(e,t){let n=(e??``).toLowerCase().replaceAll(/[^a-z0-9]+/g,`-`).replaceAll(/^-+|-+$/g,``);return n?`${n}-${t}`:`node-${t}`}var p=i();function m({id:e,name:t,apiKey:i,encrypted:a}){let u=l(),m=f(t,e);return(0,p.jsxs)(r,{gap:`xs`,align:`stretch`,children:[(0,p.jsx)(c,{label:u.nodes.keyOf(t??String(e)),value:i}),(0,p.jsx)(o,{variant:`default`,leftSection:(0,p.jsx)(n,{size:16}),onClick:()=>s(`${m}.yaml`,d({key:i,file:m,encrypted:a}),`application/yaml`),children:u.nodes.configFile})]})}function h({opened:n,title:i,close:s,...c}){let u=l();return(0,p.jsx)(a,{opened:n,onClose:s,closeOnClickOutside:!1,closeOnEscape:!1,withCloseButton:!1,title:i,children:(0,p.jsxs)(r,{children:[(0,p.jsx)(t,{fz:`sm`,children:u.nodes.once}),(0,p.jsx)(m,{...c}),(0,p.jsx)(e,{justify:`flex-end`,children:(0,p.jsx)(o,{onClick:s,children:u.nodes.kept})})]})})}export{h as n,m as t};