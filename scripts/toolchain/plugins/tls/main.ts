import { serve } from "../serve.ts";
import { tls } from "./provider.ts";

await serve(tls);
