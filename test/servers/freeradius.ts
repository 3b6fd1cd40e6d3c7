import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { radius } from '../../checks/radius.ts'
import { Secret } from '../../src/lib/secret.ts'
import { ask } from '../checks/probing.ts'
import { type RunningServer, startServer } from './harness.ts'

export interface Freeradius extends RunningServer {
  readonly port: number
}

/**
 * FreeRADIUS on both loopback families; client secret `testing123`, account `probe` / `secret`. Does not answer requests
 * that are not signed, unless it is `lenient`.
 */
export async function startFreeradius({ lenient = false } = {}): Promise<Freeradius> {
  const server = await startServer({
    program: 'freeradius',
    ports: 1,
    prepare: async ({ directory, ports }) => {
      await writeFile(join(directory, 'radiusd.conf'), config(directory, ports, lenient))
      await writeFile(join(directory, 'users'), 'probe Cleartext-Password := "secret"\n')
      await writeFile(join(directory, 'dictionary'), '$INCLUDE /usr/share/freeradius/dictionary\n')
    },
    args: ({ directory }) => ['-f', '-l', 'stdout', '-d', directory, '-n', 'radiusd'],
    isReady: async ({ ports: [port = 0] }) => {
      const options = { login: 'probe', passwd: new Secret('secret'), secret: new Secret('testing123') }
      return (await ask({ check: radius, port, transport: 'udp', options, timeoutMs: 200 })).verdict === 'up'
    },
  })
  const [port = 0] = server.ports
  return { ...server, port }
}

function config(directory: string, [port]: readonly number[], lenient: boolean): string {
  const client = `secret = testing123\n  require_message_authenticator = ${lenient ? 'no' : 'yes'}`
  return `
prefix = /usr
raddbdir = ${directory}
libdir = /usr/lib/freeradius
logdir = ${directory}
run_dir = ${directory}
pidfile = ${directory}/pid
max_request_time = 5
cleanup_delay = 0
max_requests = 1024
security {
  allow_core_dumps = no
  max_attributes = 200
  reject_delay = 0
  status_server = yes
}
thread pool {
  start_servers = 1
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
}
client ipv4 {
  ipaddr = 127.0.0.1
  ${client}
}
client ipv6 {
  ipv6addr = ::1
  ${client}
}
modules {
  pap {
  }
  files {
    filename = ${directory}/users
    usersfile = ${directory}/users
  }
}
server default {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${port}
  }
  listen {
    type = auth
    ipv6addr = ::1
    port = ${port}
  }
  authorize {
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
  }
}
`
}
