/** The program that the engine starts as the `docker` plugin: it prints its port and serves until it is stopped. */

import { serve } from "../serve.ts";
import { docker } from "./provider.ts";

serve(docker);
