// The editor of stages. The Desk loads it when it needs it: memora.stages.edit (stages/open.js).
import { edit } from "./stages/edit";
import { Editor } from "./stages/editor";
import { keys_of } from "./stages/types";

frappe.provide("memora.stages");
Object.assign(memora.stages, { edit_loaded: edit, Editor, keys_of });
