import { alarmRoutes } from './alarm-routes.ts';
import { alertRoutes } from './alert-routes.ts';
import { commentRoutes, contextTagRoutes } from './comment-routes.ts';
import { dataModelRoutes } from './data-model-routes.ts';
import { detectionRoutes } from './detections/routes.ts';
import { globalRoutes } from './global-routes.ts';
import { httpSourceRoutes } from './http-source-routes.ts';
import { owedRoutes } from './owed-routes.ts';
import { queryRoutes } from './query-routes.ts';
import { roleRoutes } from './role-routes.ts';
import type { RestRoute } from './route.ts';
import { tokenRoutes } from './token-routes.ts';
import { uploadRoutes } from './upload-routes.ts';
import { userRoutes } from './user-routes.ts';

/** Every operation of the REST API. */
export const routes: readonly RestRoute[] = [
  ...commentRoutes,
  ...contextTagRoutes,
  ...alertRoutes,
  ...tokenRoutes,
  ...dataModelRoutes,
  ...globalRoutes,
  ...alarmRoutes,
  ...httpSourceRoutes,
  ...queryRoutes,
  ...roleRoutes,
  ...detectionRoutes,
  ...uploadRoutes,
  ...userRoutes,
  ...owedRoutes,
];
