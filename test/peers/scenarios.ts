import type { Stage } from './arena.ts'

export interface Step {
  readonly name: string
  readonly act: (stage: Stage) => Promise<void> | void
  /** The table on which ours must settle, and Perl's too unless `perl` says otherwise. */
  readonly table: string
  readonly perl?: { readonly table: string; readonly reason: string }
}

export interface Scenario {
  readonly name: string
  readonly config: string
  readonly steps: readonly Step[]
}

const page = 'Test Page'
const serve =
  (address: string, port = 80, says = page) =>
  (stage: Stage): Promise<void> =>
    stage.serve({ address, port, says })
const silence =
  (address: string, port = 80) =>
  (stage: Stage): Promise<void> =>
    stage.silence(address, port)
const startWith =
  (...servers: readonly (readonly [string, number?])[]) =>
  async (stage: Stage): Promise<void> => {
    for (const [address, port] of servers) await serve(address, port)(stage)
    stage.startBoth()
  }
const inTurn =
  (...acts: readonly Step['act'][]) =>
  async (stage: Stage): Promise<void> => {
    for (const act of acts) await act(stage)
  }

/** A dead server refuses at once; the limits are long, for a busy lab is slow. */
const quick = `checktimeout=5
negotiatetimeout=5
checkinterval=2
`

/** A service with its destinations, written short: `table('-t 10.9.9.1:80 -s rr', '10.50.1.2:80 -m -w 1')`. */
function table(service: string, ...destinations: readonly string[]): string {
  const [kind = '', address = ''] = service.split(' ')
  const lines = destinations.map((destination) => `-a ${kind} ${address} -r ${destination}\n`)
  return `-A ${service}\n${lines.join('')}`
}

function httpRemoved(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s rr'
  const [one, two, sorry] = [`${net}.2:80 -m -w 1`, `${net}.3:80 -m -w 2`, '127.0.0.1:80 -g -w 1']
  return {
    name: 'http, a dead server is removed',
    config: `${quick}virtual=10.9.9.1:80
    real=${net}.2:80 masq
    real=${net}.3:80 masq 2
    service=http
    request="index.html"
    receive="Test Page"
    scheduler=rr
    fallback=127.0.0.1:80 gate
`,
    steps: [
      { name: 'both answer', act: startWith([`${net}.2`], [`${net}.3`]), table: table(service, one, two) },
      { name: 'the first dies', act: silence(`${net}.2`), table: table(service, two) },
      { name: 'it answers with another page', act: serve(`${net}.2`, 80, 'no'), table: table(service, two) },
      {
        name: 'it answers rightly',
        act: inTurn(silence(`${net}.2`), serve(`${net}.2`)),
        table: table(service, one, two),
      },
      { name: 'both die', act: inTurn(silence(`${net}.2`), silence(`${net}.3`)), table: table(service, sorry) },
      { name: 'the second returns', act: serve(`${net}.3`), table: table(service, two) },
    ],
  }
}

function httpQuiescent(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s wrr'
  const at = (one: number, two: number): readonly [string, string] => [
    `${net}.2:80 -m -w ${one}`,
    `${net}.3:80 -m -w ${two}`,
  ]
  const sorry = '127.0.0.1:80 -g -w 1'
  return {
    name: 'http, a dead server is quiesced',
    config: `${quick}quiescent=yes
virtual=10.9.9.1:80
    real=${net}.2:80 masq 5
    real=${net}.3:80 masq
    service=http
    receive="Test Page"
    fallback=127.0.0.1:80
`,
    steps: [
      { name: 'both answer', act: startWith([`${net}.2`], [`${net}.3`]), table: table(service, ...at(5, 1)) },
      { name: 'the first dies', act: silence(`${net}.2`), table: table(service, ...at(0, 1)) },
      { name: 'both are dead', act: silence(`${net}.3`), table: table(service, sorry, ...at(0, 0)) },
      { name: 'the first returns', act: serve(`${net}.2`), table: table(service, ...at(5, 0)) },
    ],
  }
}

function connectFailures(net: string): Scenario {
  const service = '-t 10.9.9.1:25 -s wlc'
  const [one, two] = [`${net}.2:25 -m -w 1`, `${net}.3:25 -m -w 1`]
  return {
    name: 'connect with failurecount',
    config: `${quick}failurecount=3
virtual=10.9.9.1:25
    real=${net}.2:25 masq
    real=${net}.3:25 masq
    checktype=connect
    scheduler=wlc
`,
    steps: [
      { name: 'both accept', act: startWith([`${net}.2`, 25], [`${net}.3`, 25]), table: table(service, one, two) },
      { name: 'the second refuses three times', act: silence(`${net}.3`, 25), table: table(service, one) },
      { name: 'it accepts again', act: serve(`${net}.3`, 25), table: table(service, one, two) },
      {
        name: 'both refuse, and there is no fallback',
        act: inTurn(silence(`${net}.2`, 25), silence(`${net}.3`, 25)),
        table: table(service),
      },
    ],
  }
}

function markPersistent(net: string): Scenario {
  const service = '-f 5 -s wrr -p 600 -M 255.255.255.0'
  const [one, two, sorry] = [`${net}.2:0 -m -w 2`, `${net}.3:0 -m -w 1`, '127.0.0.1:0 -g -w 1']
  return {
    name: 'firewall mark, persistent',
    config: `${quick}virtual=5
    real=${net}.2 masq 2
    real=${net}.3 masq 1
    checktype=negotiate
    service=http
    checkport=8000
    receive="Test Page"
    persistent=600
    netmask=255.255.255.0
    fallback=127.0.0.1
`,
    steps: [
      {
        name: 'both answer',
        act: startWith([`${net}.2`, 8000], [`${net}.3`, 8000]),
        table: table(service, one, two),
      },
      { name: 'the first dies', act: silence(`${net}.2`, 8000), table: table(service, two) },
      { name: 'both are dead', act: silence(`${net}.3`, 8000), table: table(service, sorry) },
      { name: 'the first returns', act: serve(`${net}.2`, 8000), table: table(service, one) },
    ],
  }
}

function otherPort(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s rr'
  const [one, two, sorry] = [`${net}.2:8080 -m -w 1`, `${net}.3:8081 -m -w 1`, '127.0.0.1:9000 -m -w 1']
  return {
    name: 'masquerading to another port',
    config: `${quick}virtual=10.9.9.1:80
    real=${net}.2:8080 masq
    real=${net}.3:8081 masq
    service=http
    scheduler=rr
    fallback=127.0.0.1:9000 masq
`,
    steps: [
      {
        name: 'both answer',
        act: startWith([`${net}.2`, 8080], [`${net}.3`, 8081]),
        table: table(service, one, two),
      },
      { name: 'the second dies', act: silence(`${net}.3`, 8081), table: table(service, one) },
      { name: 'both are dead', act: silence(`${net}.2`, 8080), table: table(service, sorry) },
      {
        name: 'both return',
        act: inTurn(serve(`${net}.2`, 8080), serve(`${net}.3`, 8081)),
        table: table(service, one, two),
      },
    ],
  }
}

function gateOtherPort(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s rr'
  const at = (weight: number): string => `${net}.2:80 -g -w ${weight}`
  const stuck = 'D4: Perl adds it under the port of the file, is refused, and the weight stays 0 for ever'
  return {
    name: 'direct routing with another port, quiescent',
    config: `${quick}quiescent=yes
virtual=10.9.9.1:80
    real=${net}.2:8080 gate 3
    service=http
    scheduler=rr
`,
    steps: [
      {
        name: 'it answers',
        act: startWith([`${net}.2`, 8080]),
        table: table(service, at(3)),
        perl: { table: table(service, at(0)), reason: stuck },
      },
      { name: 'it dies', act: silence(`${net}.2`, 8080), table: table(service, at(0)) },
      {
        name: 'it returns',
        act: serve(`${net}.2`, 8080),
        table: table(service, at(3)),
        perl: { table: table(service, at(0)), reason: stuck },
      },
    ],
  }
}

function range(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s rr'
  const at = (host: number): string => `${net}.${host}:80 -m -w 4`
  return {
    name: 'range of servers',
    config: `${quick}virtual=10.9.9.1:80
    real=${net}.2->${net}.4:80 masq 4
    service=http
    scheduler=rr
`,
    steps: [
      {
        name: 'all three answer',
        act: startWith([`${net}.2`], [`${net}.3`], [`${net}.4`]),
        table: table(service, at(2), at(3), at(4)),
      },
      { name: 'the middle one dies', act: silence(`${net}.3`), table: table(service, at(2), at(4)) },
      { name: 'it returns', act: serve(`${net}.3`), table: table(service, at(2), at(3), at(4)) },
    ],
  }
}

function reload(net: string): Scenario {
  const web = (scheduler: string, ...reals: readonly string[]): string => `virtual=10.9.9.1:80
${reals.map((real) => `    real=${real}\n`).join('')}    service=http
    scheduler=${scheduler}
`
  const mail = (port: number): string => `virtual=10.9.9.1:${port}
    real=${net}.9:25 masq
    checktype=connect
`
  const first = `${quick}${web('rr', `${net}.2:80 masq`, `${net}.3:80 masq`)}${mail(25)}`
  const second = `${quick}${web('wlc', `${net}.2:80 masq 7`, `${net}.4:80 masq`)}${mail(26)}`
  const after = `${table('-t 10.9.9.1:26 -s wrr', `${net}.9:25 -m -w 1`)}${table('-t 10.9.9.1:80 -s wlc', `${net}.2:80 -m -w 7`, `${net}.4:80 -m -w 1`)}`
  return {
    name: 'reload',
    config: first,
    steps: [
      {
        name: 'start',
        act: startWith([`${net}.2`], [`${net}.3`], [`${net}.4`], [`${net}.9`, 25]),
        table: `${table('-t 10.9.9.1:25 -s wrr', `${net}.9:25 -m -w 1`)}${table('-t 10.9.9.1:80 -s rr', `${net}.2:80 -m -w 1`, `${net}.3:80 -m -w 1`)}`,
      },
      {
        name: 'another scheduler and weight, a real and a virtual out, others in',
        act: (stage) => stage.reloadBoth(second),
        table: after,
      },
      { name: 'a file with a fault', act: (stage) => stage.reloadBoth(`${second}nonsense\n`), table: after },
      { name: 'the good file again', act: (stage) => stage.reloadBoth(second), table: after },
    ],
  }
}

function onOff(net: string): Scenario {
  const sorry = (port: number): string => `127.0.0.1:${port} -g -w 1`
  const on = table('-t 10.9.9.1:80 -s wrr', `${net}.2:80 -m -w 1`)
  const section = (port: number, checktype: string): string => `virtual=10.9.9.1:${port}
    real=${net}.2:${port} masq
    checktype=${checktype}
    fallback=127.0.0.1
`
  return {
    name: 'on and off',
    config: `${quick}${section(80, 'on')}${section(81, 'off')}${section(82, 'off')}`,
    steps: [
      {
        name: 'on without a server; off without an entry, and with one that was there',
        act: async (stage) => {
          await stage.both('ipvsadm', '-A', '-t', '10.9.9.1:82')
          await stage.both('ipvsadm', '-a', '-t', '10.9.9.1:82', '-r', `${net}.2:82`, '-m')
          stage.startBoth()
        },
        table: `${on}${table('-t 10.9.9.1:81 -s wrr', sorry(81))}${table('-t 10.9.9.1:82 -s wrr', `${net}.2:82 -m -w 1`)}`,
      },
    ],
  }
}

function allDown(net: string): Scenario {
  const web = table('-t 10.9.9.1:80 -s wrr', '127.0.0.1:80 -g -w 1')
  const own = table('-t 10.9.9.1:81 -s wrr', '10.9.9.9:8081 -m -w 1')
  return {
    name: 'fallback when all are down',
    config: `${quick}fallback=127.0.0.1
virtual=10.9.9.1:80
    real=${net}.2:80 masq
    checktype=connect
virtual=10.9.9.1:81
    real=${net}.2:81 masq
    checktype=connect
    fallback=10.9.9.9:8081 masq
virtual=7
    real=${net}.2 masq
    checktype=connect
    checkport=80
`,
    steps: [
      {
        name: 'all are dead from the start',
        act: (stage) => stage.startBoth(),
        table: `${table('-f 7 -s wrr', '127.0.0.1:0 -g -w 1')}${web}${own}`,
        perl: {
          table: `${table('-f 7 -s wrr')}${web}${own}`,
          reason: 'D12: a mark cannot use the global fallback in Perl',
        },
      },
      {
        name: 'one answers',
        act: serve(`${net}.2`),
        table: `${table('-f 7 -s wrr', `${net}.2:0 -m -w 1`)}${table('-t 10.9.9.1:80 -s wrr', `${net}.2:80 -m -w 1`)}${own}`,
      },
    ],
  }
}

const foreign = table('-t 10.8.8.8:80 -s lc', '10.8.8.9:80 -m -w 3')

/** By hand, in both namespaces: a service of somebody else. */
async function addForeign(stage: Stage): Promise<void> {
  await stage.both('ipvsadm', '-A', '-t', '10.8.8.8:80', '-s', 'lc')
  await stage.both('ipvsadm', '-a', '-t', '10.8.8.8:80', '-r', '10.8.8.9:80', '-m', '-w', '3')
}

function adoption(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s rr'
  return {
    name: 'start over a table that is there',
    config: `${quick}virtual=10.9.9.1:80
    real=${net}.2:80 masq 2
    real=${net}.3:80 masq
    service=http
    scheduler=rr
`,
    steps: [
      {
        name: 'a foreign service, a foreign destination, another weight and scheduler',
        act: async (stage) => {
          await addForeign(stage)
          await stage.both('ipvsadm', '-A', '-t', '10.9.9.1:80', '-s', 'wlc')
          await stage.both('ipvsadm', '-a', '-t', '10.9.9.1:80', '-r', `${net}.2:80`, '-m', '-w', '7')
          await stage.both('ipvsadm', '-a', '-t', '10.9.9.1:80', '-r', `${net}.77:80`, '-m', '-w', '1')
          await startWith([`${net}.2`], [`${net}.3`])(stage)
        },
        table: `${foreign}${table(service, `${net}.2:80 -m -w 2`, `${net}.3:80 -m -w 1`)}`,
      },
    ],
  }
}

function stopping(net: string): Scenario {
  const kept = table('-t 10.9.9.1:81 -s wrr', `${net}.2:81 -m -w 1`)
  const both = `${table('-t 10.9.9.1:80 -s wrr', `${net}.2:80 -m -w 1`)}${kept}`
  return {
    name: 'stop with and without cleanstop',
    config: `${quick}virtual=10.9.9.1:80
    real=${net}.2:80 masq
    checktype=connect
virtual=10.9.9.1:81
    real=${net}.2:81 masq
    checktype=connect
    cleanstop=no
`,
    steps: [
      {
        name: 'start',
        act: inTurn(addForeign, startWith([`${net}.2`, 80], [`${net}.2`, 81])),
        table: `${foreign}${both}`,
      },
      { name: 'stop', act: (stage) => stage.stopBoth(), table: `${foreign}${kept}` },
      { name: 'start again', act: (stage) => stage.startBoth(), table: `${foreign}${both}` },
    ],
  }
}

function ipv6Connect(net: string): Scenario {
  const service = '-t [fd09::1]:80 -s rr -p 300 -M 64'
  const six = `fd50::${net.split('.')[2]}`
  const [one, two, sorry] = [`[${six}:2]:80 -m -w 1`, `[${six}:3]:8080 -m -w 3`, '[::1]:80 -g -w 1']
  return {
    name: 'IPv6, connect',
    config: `${quick}virtual6=[fd09::1]:80
    real6=[${six}:2]:80 masq
    real6=[${six}:3]:8080 masq 3
    checktype=connect
    scheduler=rr
    persistent=300
    netmask=64
    fallback6=[::1]
`,
    steps: [
      {
        name: 'both accept',
        act: startWith([`${six}:2`, 80], [`${six}:3`, 8080]),
        table: table(service, one, two),
      },
      { name: 'the first refuses', act: silence(`${six}:2`), table: table(service, two) },
      { name: 'both refuse', act: silence(`${six}:3`, 8080), table: table(service, sorry) },
      { name: 'the second accepts again', act: serve(`${six}:3`, 8080), table: table(service, two) },
    ],
  }
}

function handEdits(net: string): Scenario {
  const service = '-t 10.9.9.1:80 -s wrr'
  const [one, two] = [`${net}.2:80 -m -w 1`, `${net}.3:80 -m -w 1`]
  return {
    name: 'edits by hand',
    config: `${quick}virtual=10.9.9.1:80
    real=${net}.2:80 masq
    real=${net}.3:80 masq
    checktype=connect
`,
    steps: [
      { name: 'both accept', act: startWith([`${net}.2`], [`${net}.3`]), table: table(service, one, two) },
      {
        name: 'a weight set to 0',
        act: (stage) => stage.both('ipvsadm', '-e', '-t', '10.9.9.1:80', '-r', `${net}.2:80`, '-m', '-w', '0'),
        table: table(service, `${net}.2:80 -m -w 0`, two),
      },
      {
        name: 'a destination deleted',
        act: (stage) => stage.both('ipvsadm', '-d', '-t', '10.9.9.1:80', '-r', `${net}.2:80`),
        table: table(service, two),
      },
      {
        name: 'the whole table flushed',
        act: (stage) => stage.both('ipvsadm', '-C'),
        table: table(service, one, two),
        perl: { table: '', reason: 'D17: Perl never makes a deleted service again; ours restores it whole' },
      },
    ],
  }
}

/** Each with a network of its own, so that they can run side by side before the same machine. */
export const scenarios: readonly Scenario[] = [
  httpRemoved,
  httpQuiescent,
  connectFailures,
  markPersistent,
  otherPort,
  range,
  reload,
  onOff,
  allDown,
  adoption,
  stopping,
  ipv6Connect,
  gateOtherPort,
  handEdits,
].map((scenario, at) => scenario(`10.50.${at + 1}`))
