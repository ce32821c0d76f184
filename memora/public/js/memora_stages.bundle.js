// The editor of stages. The Desk loads it when it needs it: memora.stages.edit (stages/open.js).
import { edit } from "./stages/edit";

frappe.provide("memora.stages");
memora.stages.edit_loaded = edit;
