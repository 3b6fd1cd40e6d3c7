import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dns } from '../../checks/dns.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { ask } from '../checks/probing.ts'
import { type RunningServer, type Site, startServer } from './harness.ts'

export interface NameServer extends RunningServer {
  readonly port: number
}

/**
 * dnsmasq on both loopback families, UDP and TCP: `alive.example.test` with both addresses and their reverse names, `six`
 * with IPv6 only, `www` an alias, `text` without an address, `many` with more addresses than a datagram takes. Other
 * names below `test`: NXDOMAIN. Any other name: REFUSED.
 */
export async function startDnsmasq(): Promise<NameServer> {
  const many = Array.from({ length: 60 }, (_, index) => `--host-record=many.example.test,192.0.2.${100 + index}`)
  const server = await startServer({
    program: 'dnsmasq',
    ports: 1,
    args: ({ ports: [port] }) => [
      ...['--keep-in-foreground', '--conf-file=/dev/null', `--port=${port}`, '--bind-interfaces'],
      ...['--listen-address=127.0.0.1', '--listen-address=::1', '--no-resolv', '--no-hosts', '--user='],
      ...['--pid-file=', '--log-facility=-', '--local=/test/', '--txt-record=text.example.test,hello'],
      ...['--host-record=alive.example.test,192.0.2.10,2001:db8::10', '--host-record=six.example.test,2001:db8::6'],
      ...['--cname=www.example.test,alive.example.test', ...many],
    ],
    isReady: answers,
  })
  const [port = 0] = server.ports
  return { ...server, port }
}

/** Unbound: below `refused.test` REFUSED, below `silent.test` not a word. */
export async function startUnbound(): Promise<NameServer> {
  const server = await startServer({
    program: 'unbound',
    ports: 1,
    prepare: ({ directory, ports }) => writeFile(join(directory, 'unbound.conf'), unboundConfig(directory, ports)),
    args: ({ directory }) => ['-d', '-p', '-c', join(directory, 'unbound.conf')],
    isReady: answers,
  })
  const [port = 0] = server.ports
  return { ...server, port }
}

async function answers({ ports: [port = 0] }: Site): Promise<boolean> {
  const request = makeRequest('alive.example.test', false)
  const result = await ask({ check: dns, port, transport: 'udp', options: { request }, timeoutMs: 200 })
  return result.verdict === 'up'
}

function unboundConfig(directory: string, [port]: readonly number[]): string {
  return `
server:
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: "${directory}/pid"
  use-syslog: no
  logfile: ""
  interface: 127.0.0.1@${port}
  interface: ::1@${port}
  do-daemonize: no
  num-threads: 1
  access-control: 127.0.0.0/8 allow
  access-control: ::1/128 allow
  module-config: "iterator"
  local-zone: "example.test." static
  local-data: "alive.example.test. 60 IN A 192.0.2.10"
  local-data: "alive.example.test. 60 IN AAAA 2001:db8::10"
  local-zone: "refused.test." refuse
  local-zone: "silent.test." deny
remote-control:
  control-enable: no
`
}
