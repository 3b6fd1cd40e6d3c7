import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createHost, type Host } from './host.ts'

/** Where clients, director and reals stand. Addresses are the same in every lab: namespaces keep them apart. */
export interface Topology {
  readonly client: Host
  readonly director: Host
  readonly reals: readonly [Host, Host]
  /** The virtual address, IPv4 and IPv6. */
  readonly vip: string
  readonly vip6: string
  readonly realAddresses: readonly [string, string]
  readonly realAddresses6: readonly [string, string]
  /** Source addresses that the client has. */
  readonly clientAddresses: readonly [string, string]
  close(): Promise<void>
}

let count = 0

/**
 * Two sides: client - director - real 1, real 2, a network each; the reals' way back is the director, as masquerading
 * needs it.
 */
export async function masqTopology(): Promise<Topology> {
  const names = await namespaces(['c', 'd', 'r1', 'r2'])
  const [c, d, r1, r2] = names
  await shell(`
    ip link add c0 netns ${c} type veth peer name c0 netns ${d}
    ip link add r1 netns ${d} type veth peer name r0 netns ${r1}
    ip link add r2 netns ${d} type veth peer name r0 netns ${r2}
    ${inside(c, [
      ...up('c0', ['10.1.0.2/24', '10.1.0.3/24', 'fd01::2/64', 'fd01::3/64']),
      'route add default via 10.1.0.1',
      'route add ::/0 via fd01::1',
    ])}
    ${inside(d, [
      ...up('c0', ['10.1.0.1/24', '10.1.0.100/32', 'fd01::1/64', 'fd01::100/128']),
      ...up('r1', ['10.2.1.1/24', 'fd02:1::1/64']),
      ...up('r2', ['10.2.2.1/24', 'fd02:2::1/64']),
    ])}
    ${[r1, r2]
      .map((name, at) =>
        inside(name, [
          ...up('r0', [`10.2.${at + 1}.2/24`, `fd02:${at + 1}::2/64`]),
          `route add default via 10.2.${at + 1}.1`,
          `route add ::/0 via fd02:${at + 1}::1`,
        ]),
      )
      .join('\n')}
    ip netns exec ${d} sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'`)
  return topology(names, {
    vip: '10.1.0.100',
    vip6: 'fd01::100',
    realAddresses: ['10.2.1.2', '10.2.2.2'],
    realAddresses6: ['fd02:1::2', 'fd02:2::2'],
    clientAddresses: ['10.1.0.2', '10.1.0.3'],
  })
}

/** One network for all: the reals hold the virtual address on lo without telling anybody, and answer the client directly. */
export async function gateTopology(): Promise<Topology> {
  const names = await namespaces(['c', 'd', 'r1', 'r2', 'sw'])
  const [c, d, r1, r2, sw] = names
  const addresses: Readonly<Record<string, readonly string[]>> = {
    [c]: ['10.3.0.2/24', '10.3.0.3/24', 'fd03::2/64', 'fd03::3/64'],
    [d]: ['10.3.0.1/24', '10.3.0.100/32', 'fd03::1/64', 'fd03::100/128'],
    [r1]: ['10.3.0.11/24', 'fd03::11/64'],
    [r2]: ['10.3.0.12/24', 'fd03::12/64'],
  }
  await shell(`
    ip -n ${sw} link add br0 type bridge
    ip -n ${sw} link set br0 up
    ${Object.entries(addresses)
      .map(
        ([name, own], at) => `
    ip link add e0 netns ${name} type veth peer name p${at} netns ${sw}
    ip -n ${sw} link set p${at} master br0 up
    ${inside(name, up('e0', own))}`,
      )
      .join('')}
    for real in ${r1} ${r2}; do
      ip netns exec $real sh -c 'cd /proc/sys/net/ipv4/conf; for i in all e0; do echo 1 > $i/arp_ignore; echo 2 > $i/arp_announce; done'
      ip -n $real addr add 10.3.0.100/32 dev lo
    done`)
  return topology(names, {
    vip: '10.3.0.100',
    vip6: 'fd03::100',
    realAddresses: ['10.3.0.11', '10.3.0.12'],
    realAddresses6: ['fd03::11', 'fd03::12'],
    clientAddresses: ['10.3.0.2', '10.3.0.3'],
  })
}

/** Many directors before one machine that has every address of 10.50.0.0/16 and fd50::/16. */
export interface Arena {
  readonly servers: Host
  /** A new one, with an empty table. */
  director(): Promise<Host>
  close(): Promise<void>
}

export async function serverArena(): Promise<Arena> {
  const [name] = await namespaces(['s'])
  await shell(`
    ${inside(name, [
      // An address of its own: else it is the lowest of its ports', and changes under the directors as others come and go.
      'link add br0 address 02:00:00:00:00:01 type bridge',
      ...up('br0', ['10.60.0.1/16', 'fd60::1/64']),
      'route add local 10.50.0.0/16 dev lo',
      'route add local fd50::/16 dev lo',
    ])}
    ip netns exec ${name} sh -c 'echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind'`)
  const servers = createHost(name)
  let directors = 0
  return {
    servers,
    director: async () => {
      directors += 1
      const own = directors
      const [director] = await namespaces(['d'])
      await shell(`
        ip link add e0 netns ${director} type veth peer name p${own} netns ${name}
        ip -n ${name} link set p${own} master br0 up
        ${inside(director, [
          ...up('e0', [`10.60.1.${own}/16`, `fd60::1:${own}/64`]),
          'route add 10.50.0.0/16 via 10.60.0.1',
          'route add fd50::/16 via fd60::1',
        ])}`)
      return closing(createHost(director), [director])
    },
    close: async () => {
      await servers.close()
      await removeNamespaces([name])
    },
  }
}

/** Only a director with a loopback: for what is read back from the table and needs no packet. */
export async function loneDirector(...routes: readonly string[]): Promise<Host> {
  const [name] = await namespaces(['d'])
  if (routes.length > 0) await shell(inside(name, routes))
  return closing(createHost(name), [name])
}

/** Turns a host into one whose `close` takes the namespaces away too. */
function closing(host: Host, names: readonly string[]): Host {
  return {
    ...host,
    close: async () => {
      await host.close()
      await removeNamespaces(names)
    },
  }
}

type Addresses = Pick<Topology, 'vip' | 'vip6' | 'realAddresses' | 'realAddresses6' | 'clientAddresses'>

function topology(names: readonly [string, string, string, string, ...string[]], addresses: Addresses): Topology {
  const [client, director, real1, real2] = names
  const hosts = [createHost(client), createHost(director), createHost(real1), createHost(real2)] as const
  return {
    ...addresses,
    client: hosts[0],
    director: hosts[1],
    reals: [hosts[2], hosts[3]],
    close: async () => {
      await Promise.all(hosts.map((host) => host.close()))
      await removeNamespaces(names)
    },
  }
}

const removeNamespaces = (names: readonly string[]): Promise<string> =>
  shell(names.map((name) => `ip netns del ${name}`).join('\n'))

/** Fresh ones, loopback up. */
async function namespaces<const Roles extends readonly string[]>(
  roles: Roles,
): Promise<{ readonly [At in keyof Roles]: string }> {
  // On a machine of its own IPVS would be changed in earnest.
  if (!existsSync('/run/uml/modprobe')) throw new Error('only in the lab: node test/kernel/lab/run.mjs COMMAND')
  count += 1
  const names = roles.map((role) => `${role}${count}`)
  await shell(names.map((name) => `ip netns add ${name}\nip -n ${name} link set lo up`).join('\n'))
  return names as { readonly [At in keyof Roles]: string }
}

/** Many commands of `ip` in one process: a fork costs 20 ms in the lab. */
function inside(namespace: string, lines: readonly string[]): string {
  return `ip -n ${namespace} -batch - <<'END'\n${lines.join('\n')}\nEND`
}

/** A link up, with addresses that can be used at once. */
function up(link: string, addresses: readonly string[]): string[] {
  return [
    `link set ${link} up`,
    ...addresses.map((address) => `addr add ${address} dev ${link}${address.includes(':') ? ' nodad' : ''}`),
  ]
}

function shell(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('bash', ['-e'], { timeout: 60_000 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${stderr}${stdout}\n${script}`)),
    )
    child.stdin?.end(script)
  })
}
