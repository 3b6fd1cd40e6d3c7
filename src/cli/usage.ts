/** All of the command line on one page. */
export const usageText = `Usage: ldirectord-ng [-d] [CONFIG] COMMAND
       ldirectord-ng VERB [CONFIG] [options]

COMMAND, as in Perl ldirectord (without CONFIG: the instance ldirectord):
  start                  run in the background; ends when the IPVS table stands
  stop [--keep-table]    end it, and wait for its end (at most 10 s); the IPVS
                         table is cleared as cleanstop says, or kept as it is
  restart, try-restart   stop --keep-table and start; try-restart if it runs
  reload [--confirm]     read the configuration again (also force-reload)
  status                 exit 0 when it runs, 3 when not, 1 on a stale pid file

VERB (show to enable ask the running daemon):
  run       the daemon in the foreground [--table kernel|memory] [--log stdout]
  check     every check once                                           [--json]
  plan      what a start would change in the table     [--table kernel|memory]
                              [--assume up|down] [--json] [--format ipvsadm]
  validate  the faults of a configuration                    [--json | --print]
  show      table and health     [VIRTUAL] [--stats|rate|connections|timeouts]
  why       why REAL is in or out, with its last checks                 [--json]
  drain     no new connections for REAL                 [--max 15m] [--reason x]
  disable   REAL out at once                             [--for 2h] [--reason x]
  enable    drain and disable of REAL taken back
  doctor    a configuration against this machine                       [--json]
  save      the kernel's table, as ipvsadm -S -n prints it             [--json]
  demo      a failover on loopback, nothing of this machine is changed [--stay]

  -d, --debug    stay in the foreground, all messages on standard error
  -h, -?, --help      -v, --version      VERB --help

CONFIG: in /etc/ha.d, /etc/ha.d/conf, then as given; ldirectord.cf when absent.
`
