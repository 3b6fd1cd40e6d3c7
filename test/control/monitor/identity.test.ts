import assert from 'node:assert/strict'
import { lookUpNames, namesOf } from '../../../src/config/names.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import { resolveConfig } from '../../../src/config/resolve.ts'
import { monitorIdentity } from '../../../src/control/monitor/identity.ts'
import { goldenDeps, stubLookup } from '../../config/golden-world.ts'

async function identities(text: string): Promise<string[]> {
  const { parsed, diagnostics } = parseConfig(text, 'x.cf', goldenDeps)
  assert.ok(parsed !== undefined, JSON.stringify(diagnostics))
  const { config } = resolveConfig(parsed, await lookUpNames(namesOf(parsed), stubLookup))
  return config.virtuals.flatMap((virtual) =>
    virtual.reals.map((real) => {
      assert.ok(virtual.monitorText !== undefined)
      return monitorIdentity(virtual, real, virtual.monitorText)
    }),
  )
}

/** Seen in the monitor file of Perl ldirectord 4.12 with the same section. */
const cases: readonly (readonly [string, string, string])[] = [
  [
    'everything set',
    'virtual = 10.9.9.1:80\n real = 10.0.0.2:8080 masq\n request = "/ok"\n receive = "Test Page"\n virtualhost = www.example.com\n',
    'negotiate http tcp 10.0.0.2 8080 www.example.com 1 masq /ok Test Page',
  ],
  [
    'a port, an expression, blanks',
    'virtual = 10.9.9.1:80\n real = 10.0.0.2:8080 gate 3\n request = "/a/b c"\n receive = "Te.*t P[a]ge"\n virtualhost = "www.example.com:80"\n',
    'negotiate http tcp 10.0.0.2 8080 www.example.com 80 3 gate /a/b c Te.*t P[a]ge',
  ],
  [
    'a URL of its own',
    'virtual = 10.9.9.1:80\n real = 10.0.0.2:80 gate 1 "http://10.0.0.2:80/a::b?c%20d|e f", "OK"\n',
    'negotiate http tcp 10.0.0.2 80 1 gate /http //10.0.0.2 80/a  b?c%20d|e f OK',
  ],
  [
    'nothing set but the check port',
    'virtual = 10.9.9.1:80\n real = 10.0.0.2:80 masq\n checkport = 8080\n',
    'negotiate http tcp 10.0.0.2 80 8080 1 masq / ',
  ],
  [
    'what the check does not look at',
    'virtual = 10.9.9.1:82\n real = 10.0.0.2:80 masq\n checktype = connect\n request = "some"\n receive = "thing"\n virtualhost = x y\n',
    'connect tcp 10.0.0.2 80 x y 1 masq /some thing',
  ],
  [
    'a command',
    'virtual = 10.9.9.1:83\n real = 10.0.0.2:80 masq\n checktype = external\n checkcommand = /bin/false\n',
    'external /bin/false tcp 10.0.0.2 80 1 masq / ',
  ],
  [
    'the number form',
    'virtual = 10.9.9.1:84\n real = 10.0.0.2:80 masq\n checktype = 2\n service = http\n',
    'combined http tcp 10.0.0.2 80 1 masq / ',
  ],
  ['a mark', 'virtual = 5\n real = 10.0.0.2:80 masq\n checktype = ping\n', 'ping fwm 10.0.0.2 80 1 masq / '],
  [
    'backslashes, and no port',
    'virtual = 10.9.9.1:87\n real = 10.0.0.2 masq\n service = simpletcp\n request = "GET / HTTP/1.0\\n\\n"\n receive = "Test"\n checkport = 80\n',
    'negotiate simpletcp tcp 10.0.0.2 0 80 1 masq /GET / HTTP/1.0nn Test',
  ],
  [
    'udp',
    'virtual = 10.9.9.1:53\n real = 10.0.0.2:1 masq\n request = "a.b"\n receive = "1"\n',
    'negotiate dns udp 10.0.0.2 1 1 masq /a.b 1',
  ],
]

describe('the identity in a line of the monitor file', () => {
  for (const [name, text, expected] of cases) {
    it(`is that of Perl ldirectord: ${name}`, async () => {
      const section = text.replaceAll('\n ', '\n    ')
      assert.deepEqual(await identities(`${section}    monitorfile = /tmp/x\n# end\n`), [expected])
    })
  }

  it('keeps an IPv6 address whole, which Perl ldirectord does not (defect D46)', async () => {
    const text =
      'virtual6 = [2001:db8::1]:80\n    real6 = [::1]:80 masq\n    checktype = connect\n    monitorfile = /x\n'
    assert.deepEqual(await identities(text), ['connect tcp [::1] 80 1 masq / '])
  })
})
