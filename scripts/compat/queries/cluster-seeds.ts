import { gives, picks, type Row, type Scenario, type Seeds, times } from './seed.ts';

const eks = 'Amazon.EKS.Audit';
const pod = (request: Row, more: Row = {}): Row => ({
  verb: 'create',
  objectRef: { resource: 'pods' },
  requestObject: request,
  sourceIPs: ['1.1.1.1', '2.2.2.2'],
  ...more,
});
const onPods = (yes: Row, no: readonly Row[]): readonly Scenario[] => {
  const [scenario] = picks(
    eks,
    [pod(yes)],
    [
      ...no.map((request) => pod(request)),
      pod(yes, { ago: '2h' }),
      pod(yes, { objectRef: { resource: 'nodes' } }),
      pod(yes, { verb: 'delete' }),
    ],
  );
  const addresses = { x_forwarded_for_ip: '1.1.1.1', x_real_ip: '2.2.2.2', remote_address_ip: 'N/A' };
  return scenario === undefined
    ? []
    : [{ ...scenario, expect: scenario.expect.map((row) => ({ ...row, ...addresses })) }];
};

export const clusterSeeds: Seeds = {
  kubernetes_admission_controller_created_query: picks(
    eks,
    [{ verb: 'create', objectRef: { resource: 'mutatingwebhookconfigurations' } }],
    [
      { verb: 'get', objectRef: { resource: 'mutatingwebhookconfigurations' } },
      { verb: 'create', objectRef: { resource: 'pods' } },
    ],
  ),
  kubernetes_cron_job_created_or_modified_query: picks(
    eks,
    [{ verb: 'patch', objectRef: { resource: 'cronjobs' } }],
    [
      { verb: 'get', objectRef: { resource: 'cronjobs' } },
      { verb: 'patch', objectRef: { resource: 'jobs' } },
    ],
  ),
  kubernetes_new_daemonset_deployed_query: picks(
    eks,
    [{ verb: 'create', objectRef: { resource: 'daemonsets' } }],
    [{ verb: 'update', objectRef: { resource: 'daemonsets' } }],
  ),
  kubernetes_overly_permissive_linux_capabilities_query: gives(
    {
      [eks]: [{ n: 'yes', add: ['SYS_ADMIN', 'CHOWN'] }, { n: 'no', add: ['CHOWN'] }, { n: 'none' }].map(({ n, add }) =>
        pod(
          { spec: { containers: [{ securityContext: add === undefined ? undefined : { capabilities: { add } } }] } },
          { userAgent: n },
        ),
      ),
    },
    [{ userAgent: 'yes', linux_capabilities: ['SYS_ADMIN'] }],
  ),
  kubernetes_pod_attached_to_node_host_network_query: onPods({ spec: { hostNetwork: true } }, [
    { spec: { hostNetwork: false } },
    { spec: {} },
  ]),
  kubernetes_pod_create_or_modify_host_path_vol_mount_query: onPods(
    { spec: { volumes: [{ hostPath: { path: '/ETC/kubernetes' } }] } },
    [{ spec: { volumes: [{ hostPath: { path: '/tmp' } }] } }, { spec: { volumes: [] } }],
  ),
  kubernetes_pod_in_default_name_space_query: picks(
    eks,
    [pod({ kind: 'pod' }, { objectRef: { resource: 'pods', subresource: 'attach', namespace: 'default' } })],
    [
      pod({ kind: 'pod' }, { objectRef: { resource: 'pods', subresource: 'attach', namespace: 'app' } }),
      pod({ kind: 'x' }, { objectRef: { resource: 'pods', subresource: 'attach', namespace: 'default' } }),
    ],
  ),
  kubernetes_pod_using_host_ipc_namespace_query: onPods({ spec: { hostIPC: true } }, [
    { spec: { hostIPC: false } },
    {},
  ]),
  kubernetes_pod_using_host_pid_namespace_query: onPods({ spec: { hostPID: true } }, [
    { spec: { hostPID: false } },
    {},
  ]),
  kubernetes_privileged_pod_created_query: onPods(
    { spec: { containers: [{ securityContext: { privileged: true } }] } },
    [{ spec: { containers: [{ securityContext: { privileged: false } }], securityContext: { runAsNonRoot: true } } }],
  ),
  kubernetes_secret_enumeration_query: gives(
    {
      [eks]: [
        ...times(15, (n) => ({
          verb: 'get',
          userAgent: 'ua',
          user: { username: 'u' },
          objectRef: { resource: 'secrets', name: `s${n}` },
          responseStatus: { code: 200 },
        })),
        ...times(20, () => ({
          verb: 'get',
          userAgent: 'ua',
          user: { username: 'v' },
          objectRef: { resource: 'secrets', name: 's' },
          responseStatus: { code: 200 },
        })),
      ],
    },
    [{ username: 'u', total_secrets: 15, total_request: 15, status: [200] }],
  ),
  kubernetes_service_type_node_port_deployed_query: gives(
    {
      'Kubernetes.Control.Plane': ['NodePort', 'ClusterIP'].map((type) => ({
        verb: 'create',
        objectRef: { resource: 'services', name: 'svc', namespace: 'ns' },
        user: { username: 'u' },
        requestObject: { spec: { type } },
        response_object: {
          spec: {
            ports: [
              { port: 80, protocol: 'TCP', nodePort: 30001 },
              { port: 81, protocol: 'UDP', nodePort: 30002 },
            ],
          },
        },
        responseStatus: { code: 201 },
      })),
    },
    [
      {
        service: 'svc',
        port: 80,
        protocol: 'TCP',
        node_port: 30001,
        type: 'NodePort',
        load_balancer: 'No LB Present',
        src_user: 'u',
      },
      { port: 81, node_port: 30002 },
    ],
  ),
  kubernetes_unauthenticated_api_request_query: picks(
    eks,
    [{ user: { username: 'system:anonymous' }, requestURI: '/api' }],
    [
      { user: { username: 'system:anonymous' }, requestURI: '/READYZ?x' },
      { user: { username: 'bob' }, requestURI: '/api' },
    ],
  ),
  kubernetes_unauthorized_pod_execution_query: gives(
    {
      [eks]: [
        pod(
          {},
          {
            objectRef: { resource: 'pods', subresource: 'exec' },
            impersonatedUser: { username: 'remote-ann-1' },
            requestURI: '/x/exec?command=sh',
          },
        ),
        pod({}, { objectRef: { resource: 'pods', subresource: 'log' } }),
      ],
    },
    [{ src_user: 'ann', command_executed: 'command=sh' }],
  ),
};
