import { serve } from "../serve.ts";
import { command } from "./provider.ts";

await serve(command);
