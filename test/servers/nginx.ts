import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { type RunningServer, startServer } from './harness.ts'
import type { Program } from './needs.ts'

export const nginxPrograms: readonly Program[] = ['nginx', 'openssl']

export interface Nginx extends RunningServer {
  readonly httpPort: number
  readonly httpsPort: number
}

/** nginx on both loopback families, http and https. */
export async function startNginx(): Promise<Nginx> {
  const server = await startServer({
    program: 'nginx',
    ports: 2,
    prepare: async (site) => {
      const certificate = await makeCertificate(site)
      const text = config(site.directory, site.ports, certificate)
      await writeFile(join(site.directory, 'nginx.conf'), text)
    },
    args: ({ directory }) => ['-e', 'stderr', '-c', join(directory, 'nginx.conf')],
    isReady: async ({ ports: [http] }) => (await fetch(`http://127.0.0.1:${http}/alive`)).ok,
  })
  const [httpPort = 0, httpsPort = 0] = server.ports
  return { ...server, httpPort, httpsPort }
}

function config(directory: string, ports: readonly number[], { key, cert }: { key: string; cert: string }): string {
  const [http, https] = ports
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off; master_process off; pid ${directory}/pid; error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  ${own.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${http}; listen [::1]:${http}; server_name www.example.test;
    location = /alive   { return 200 "Still alive\\n"; }
    location = /missing { return 404; }
    location = /moved   { return 302 /alive; }
    location = /secure  { return 302 https://$host:${https}/; }
    location = /round   { return 302 /round; }
    location = /broken  { return 503 "maintenance\\n"; }
    location = /nothing { return 204; }
    location / { return 200 "host=$host agent=$http_user_agent method=$request_method\\n"; }
  }
  server {
    listen 127.0.0.1:${https} ssl; listen [::1]:${https} ssl; server_name www.example.test;
    ssl_certificate ${cert}; ssl_certificate_key ${key};
    location / { return 200 "sni=$ssl_server_name host=$host\\n"; }
  }
}
`
}
