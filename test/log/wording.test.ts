import assert from 'node:assert/strict'
import { ctime } from '../../src/lib/ctime.ts'
import { wordEvent } from '../../src/log/wording.ts'
import type { Event } from '../../src/model/events.ts'
import { down } from '../../src/model/verdict.ts'

const of = { virtual: '192.0.2.10:80', identity: 'tcp:192.0.2.10:80' }
const ofReal = { ...of, real: '192.0.2.20:80' }
const ofMark = { virtual: '5', identity: 'fwm:5', real: '192.0.2.20:0' }
const speaker = { pid: 4711, version: '1.186-ha' }
const reason = 'the check failed'
const noon = Date.UTC(2026, 10, 21, 12)

/** The words of behaviour reference 1.6, 1.7, 4.3 to 4.9, 5.4 and 5.5, to the letter. */
const perlLines: readonly [Event, ...string[]][] = [
  [{ kind: 'virtual-added', ...of }, 'Added virtual server: 192.0.2.10:80'],
  [{ kind: 'virtual-changed', ...of }, 'Changed virtual server: 192.0.2.10:80'],
  [{ kind: 'virtual-purged', phase: 'starting', ...of }, 'Purged virtual server (start): 192.0.2.10:80'],
  [{ kind: 'virtual-purged', phase: 'reloading', ...of }, 'Purged virtual server (start): 192.0.2.10:80'],
  [{ kind: 'virtual-purged', phase: 'stopping', ...of }, 'Purged virtual server (stop): 192.0.2.10:80'],
  [
    { kind: 'real-added', turn: 'none', weight: 3, ...ofReal },
    'Added real server: 192.0.2.20:80 (192.0.2.10:80) (Weight set to 3)',
  ],
  [{ kind: 'real-added', turn: 'none', weight: 1, ...ofMark }, 'Added real server: 192.0.2.20:0 (5) (Weight set to 1)'],
  [
    { kind: 'real-restored', turn: 'none', weight: 2, ...ofReal },
    'Restored real server: 192.0.2.20:80 (192.0.2.10:80) (Weight set to 2)',
  ],
  [
    { kind: 'real-quiesced', turn: 'none', reason, ...ofReal },
    'Quiescent real server: 192.0.2.20:80 (192.0.2.10:80) (Weight set to 0)',
  ],
  [
    { kind: 'real-quiesced', turn: 'none', mappedFrom: '192.0.2.20:8080', reason, ...ofReal },
    'Quiescent real server: 192.0.2.20:80 mapped from 192.0.2.20:8080 (192.0.2.10:80) (Weight set to 0)',
  ],
  [
    { kind: 'real-readded-quiescent', turn: 'none', reason, ...ofReal },
    'Readd Quiescent real server: 192.0.2.20:80 (192.0.2.10:80) (Weight set to 0)',
  ],
  [
    { kind: 'real-deleted', turn: 'none', mappedFrom: undefined, reason, ...ofReal },
    'Deleted real server: 192.0.2.20:80 (192.0.2.10:80)',
  ],
  [
    { kind: 'real-deleted', turn: 'none', mappedFrom: '192.0.2.20:8080', reason, ...ofReal },
    'Deleted real server: 192.0.2.20:80 mapped from 192.0.2.20:8080 (192.0.2.10:80)',
  ],
  [
    { kind: 'real-purged', turn: 'none', phase: 'starting', ...ofReal },
    'Purged real server (start): 192.0.2.20:80 (192.0.2.10:80)',
  ],
  [
    { kind: 'alert-sent', channel: 'smtp', subject: 'Deleted real server: 192.0.2.20:80 (192.0.2.10:80)' },
    'emailalert: Deleted real server: 192.0.2.20:80 (192.0.2.10:80)',
  ],
  [{ kind: 'alert-sent', channel: 'sendmail', subject: 'x' }, 'emailalert: x'],
  [
    { kind: 'alert-failed', channel: 'smtp', target: 'mail:25', text: 'refused' },
    'failed to send SMTP email message: mail:25: refused',
  ],
  [
    { kind: 'alert-failed', channel: 'sendmail', target: 'sendmail', text: 'refused' },
    'failed to send email message: sendmail: refused',
  ],
  [
    { kind: 'real-purged', turn: 'none', phase: 'stopping', ...ofReal },
    'Purged real server (stop): 192.0.2.20:80 (192.0.2.10:80)',
  ],
  [
    { kind: 'fallback-added', turn: 'none', ...ofReal },
    'Added fallback server: 192.0.2.20:80 (192.0.2.10:80) (Weight set to 1)',
  ],
  [
    { kind: 'fallback-deleted', turn: 'none', mappedFrom: undefined, ...ofReal },
    'Deleted fallback server: 192.0.2.20:80 (192.0.2.10:80)',
  ],
  [
    { kind: 'fallback-deleted', turn: 'none', mappedFrom: '192.0.2.20:81', ...ofReal },
    'Deleted fallback server: 192.0.2.20:80 mapped from 192.0.2.20:81 (192.0.2.10:80)',
  ],
  [
    { kind: 'soft-failure', failures: 1, failureCount: 3, result: down('refused', 'connect: refused'), ...ofReal },
    'Soft failure real server: 192.0.2.20:80 (tcp:192.0.2.10:80) failure 1/3',
    'Check failed: 192.0.2.20:80 (tcp:192.0.2.10:80): connect: refused',
  ],
  [{ kind: 'failures-reset', ...ofReal }, 'Resetting soft failure count: 192.0.2.20:80 (tcp:192.0.2.10:80)'],
  [{ kind: 'starting', pid: 99, daemon: true }, 'Starting Linux Director v1.186-ha as daemon'],
  [{ kind: 'starting', pid: 99, daemon: false }, 'Starting Linux Director v1.186-ha with pid: 99'],
  [
    { kind: 'invoked', commandLine: '/usr/sbin/ldirectord a.cf start' },
    'Invoking ldirectord invoked as: /usr/sbin/ldirectord a.cf start ',
  ],
  [{ kind: 'terminated', signal: 'TERM' }, 'Linux Director Daemon terminated on signal: TERM'],
  [{ kind: 'reload-signal' }, 'Reloading Linux Director Daemon config on signal'],
  [
    { kind: 'config-changed', file: '/etc/ha.d/ldirectord.cf', reread: true },
    "Configuration file '/etc/ha.d/ldirectord.cf' has changed on disk",
    ' - reread new configuration',
  ],
  [
    { kind: 'config-changed', file: '/etc/ha.d/ldirectord.cf', reread: false },
    "Configuration file '/etc/ha.d/ldirectord.cf' has changed on disk",
    ' - ignore new configuration',
  ],
  [
    { kind: 'config-diagnostic', severity: 'error', text: 'invalid port', at: { file: '/etc/a.cf', line: 7 } },
    'Error [4711] reading file /etc/a.cf at line 7: invalid port',
  ],
  [
    { kind: 'config-diagnostic', severity: 'warning', text: 'can not open file /etc/a.cf for checking' },
    'Warning [4711]: can not open file /etc/a.cf for checking',
  ],
  [{ kind: 'note', text: 'ldirectord is stopped for /etc/a.cf' }, 'ldirectord is stopped for /etc/a.cf'],
]

/** What Perl ldirectord has no words for. */
const ownLines: readonly [Event, ...string[]][] = [
  [
    { kind: 'real-state', state: 'down', detail: 'HTTP 500', ...ofReal },
    'Real server is down: 192.0.2.20:80 (tcp:192.0.2.10:80): HTTP 500',
  ],
  [
    { kind: 'check-unknown', detail: 'no sockets left', ...ofReal },
    'Can not check real server: 192.0.2.20:80 (tcp:192.0.2.10:80): no sockets left',
  ],
  [
    { kind: 'check-warning', text: 'redirected', ...ofReal },
    'Check of real server: 192.0.2.20:80 (tcp:192.0.2.10:80): redirected',
  ],
  [
    { kind: 'real-draining', by: 'alice', reason: 'disk', until: undefined, ...ofReal },
    'Draining real server: 192.0.2.20:80 (192.0.2.10:80) by alice: disk',
  ],
  [
    { kind: 'real-disabled', by: 'alice', reason: '', until: noon, ...ofReal },
    `Disabled real server: 192.0.2.20:80 (192.0.2.10:80) by alice until ${ctime(noon)}`,
  ],
  [
    { kind: 'real-drained', why: 'idle', left: 0, ...ofReal },
    'Drained real server: 192.0.2.20:80 (192.0.2.10:80) no connection is left',
  ],
  [
    { kind: 'real-drained', why: 'time', left: undefined, ...ofReal },
    'Drained real server: 192.0.2.20:80 (192.0.2.10:80) time is up',
  ],
  [
    { kind: 'real-drained', why: 'time', left: 3, ...ofMark },
    'Drained real server: 192.0.2.20:0 (5) time is up, active connections left: 3',
  ],
  [{ kind: 'real-enabled', by: 'alice', ...ofReal }, 'Enabled real server: 192.0.2.20:80 (192.0.2.10:80) by alice'],
  [{ kind: 'real-enabled', by: undefined, ...ofReal }, 'Enabled real server: 192.0.2.20:80 (192.0.2.10:80) time is up'],
  [
    { kind: 'maintenance-begun', file: '/m/web1', reason: 'disk', ...ofReal },
    'Maintenance of real server begun: 192.0.2.20:80 (192.0.2.10:80) /m/web1: disk',
  ],
  [
    { kind: 'maintenance-ended', file: '/m/web1', ...ofReal },
    'Maintenance of real server ended: 192.0.2.20:80 (192.0.2.10:80) /m/web1',
  ],
  [{ kind: 'state-file', text: 'The state file is broken' }, 'The state file is broken'],
  [{ kind: 'drift', text: 'weight 0, ours is 1' }, 'IPVS table changed by others: weight 0, ours is 1'],
  [
    { kind: 'table-refused', operation: '-a -t 192.0.2.10:80', text: 'not permitted' },
    'IPVS refused -a -t 192.0.2.10:80: not permitted',
  ],
  [{ kind: 'table-unreadable', text: 'no IPVS' }, 'Can not read the IPVS table: no IPVS'],
  [{ kind: 'table-readable' }, 'The IPVS table can be read again'],
  [{ kind: 'config-loaded', virtuals: 2, reals: 5 }, 'Configuration loaded: virtual services 2, real servers 5'],
  [
    { kind: 'reload-refused', file: '/etc/a.cf', reasons: ['it is empty'], plan: ['-D -f 1', '-D -f 2'] },
    'Refused new configuration: it is empty',
    'Refused new configuration: it would do ipvsadm -D -f 1',
    'Refused new configuration: it would do ipvsadm -D -f 2',
    'Keeping the running configuration: /etc/a.cf was refused',
  ],
  [{ kind: 'table-left' }, 'Leaving the IPVS table as it is for the next start'],
  [{ kind: 'config-kept', file: '/etc/a.cf' }, 'Keeping the running configuration: /etc/a.cf has errors'],
  [{ kind: 'fault', text: 'Error: x\n    at y' }, 'Internal error: Error: x', 'Internal error:     at y'],
]

describe('wording of events', () => {
  for (const [event, ...lines] of [...perlLines, ...ownLines]) {
    it(`says ${JSON.stringify(lines[0])} for ${event.kind}`, () => {
      assert.deepEqual(wordEvent(event, speaker).lines, lines)
    })
  }

  it('lets no text of a server forge a line or move a terminal', () => {
    const detail = 'bad\n[Sat Nov 21 05:53:56 2026|x|1] Added real server: 1.2.3.4:80\r\u001b[2J\u2028'
    const { lines } = wordEvent({ kind: 'real-state', state: 'down', detail, ...ofReal }, speaker)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /bad\\n\[Sat .*\\r\\x1b\[2J\\u\{2028\}$/)
  })

  it('puts the head before every line of a longer text', () => {
    const at = { file: '/a.cf', line: 2 }
    const { lines } = wordEvent({ kind: 'config-diagnostic', severity: 'error', text: 'one\ntwo', at }, speaker)
    assert.deepEqual(lines, [
      'Error [4711] reading file /a.cf at line 2: one',
      'Error [4711] reading file /a.cf at line 2: two',
    ])
  })

  it('tells the severity of what an operator must see from what is only told', () => {
    const severity = (event: Event): string => wordEvent(event, speaker).severity
    assert.equal(severity({ kind: 'fault', text: 'x' }), 'error')
    assert.equal(severity({ kind: 'real-state', state: 'down', detail: '', ...ofReal }), 'warning')
    assert.equal(severity({ kind: 'real-state', state: 'up', detail: '', ...ofReal }), 'notice')
    assert.equal(severity({ kind: 'config-diagnostic', severity: 'error', text: 'x' }), 'error')
    assert.equal(severity({ kind: 'virtual-added', ...of }), 'info')
  })
})
