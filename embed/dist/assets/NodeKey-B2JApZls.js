import{J as e,Jt as t,Mn as n,On as r,bn as i,qn as a,sn as o}from"./base-BdjuAK9s.js";import{n as s}from"./save-D0_1y_72.js";import{t as c}from"./Secret-Cn3Y4vyx.js";import{c as l}from"./text-BjGtxEGr.js";import{y as u}from"./Problems-DmPDNorF.js";function d({key:e,file:t,encrypted:n}){let{protocol:r,hostname:i,port:a}=location,o=JSON.stringify;return`# Configuration of a node. Put the path of its data behind "default" of databases. A node runs in a
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
`}function f(e,t){let n=(e??``).toLowerCase().replaceAll(/[^a-z0-9]+/g,`-`).replaceAll(/^-+|-+$/g,``);return n?`${n}-${t}`:`node-${t}`}var p=a();function m({id:n,name:r,apiKey:a,encrypted:o}){let u=l(),m=f(r,n);return(0,p.jsxs)(t,{gap:`xs`,align:`stretch`,children:[(0,p.jsx)(c,{label:u.nodes.keyOf(r??String(n)),value:a}),(0,p.jsx)(i,{variant:`default`,leftSection:(0,p.jsx)(e,{size:16}),onClick:()=>s(`${m}.yaml`,d({key:a,file:m,encrypted:o}),`application/yaml`),children:u.nodes.configFile})]})}function h({opened:e,title:a,close:s,...c}){let u=l();return(0,p.jsx)(o,{opened:e,onClose:s,closeOnClickOutside:!1,closeOnEscape:!1,withCloseButton:!1,title:a,children:(0,p.jsxs)(t,{children:[(0,p.jsx)(r,{fz:`sm`,children:u.nodes.once}),(0,p.jsx)(m,{...c}),(0,p.jsx)(n,{justify:`flex-end`,children:(0,p.jsx)(i,{onClick:s,children:u.nodes.kept})})]})})}export{h as n,m as t};