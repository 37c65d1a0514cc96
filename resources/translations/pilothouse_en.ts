<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>Words</name>
    <message numerus="yes">
        <source>none of %n machine(s) fits: %1</source>
        <translation>
            <numerusform>the one machine does not fit: %1</numerusform>
            <numerusform>none of %n machines fits: %1</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>, tried %n time(s)</source>
        <translation>
            <numerusform>, tried %n time</numerusform>
            <numerusform>, tried %n times</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n failing</source>
        <translation>
            <numerusform>%n failing</numerusform>
            <numerusform>%n failing</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n on the move</source>
        <translation>
            <numerusform>%n on the move</numerusform>
            <numerusform>%n on the move</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::EventsModel</name>
    <message numerus="yes">
        <source>%1 (%n times)</source>
        <translation>
            <numerusform>%1 (once)</numerusform>
            <numerusform>%1 (%n times)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::MapModel</name>
    <message numerus="yes">
        <source>%n pod(s)</source>
        <translation>
            <numerusform>%n pod</numerusform>
            <numerusform>%n pods</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n pod(s) without a place; select one to see why</source>
        <translation>
            <numerusform>%n pod without a place; select it to see why</numerusform>
            <numerusform>%n pods without a place; select one to see why</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::NowModel</name>
    <message numerus="yes">
        <source>Its %n pod(s) start elsewhere if it stays away.</source>
        <translation>
            <numerusform>Its pod starts elsewhere if it stays away.</numerusform>
            <numerusform>Its %n pods start elsewhere if it stays away.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Its %n pod(s) start elsewhere: %1.</source>
        <translation>
            <numerusform>Its pod starts elsewhere: %1.</numerusform>
            <numerusform>Its %n pods start elsewhere: %1.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: from %2 to %n copies</source>
        <translation>
            <numerusform>%1: from %2 to %n copy</numerusform>
            <numerusform>%1: from %2 to %n copies</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %n pod(s) wait: %2.</source>
        <translation>
            <numerusform>%1: %n pod waits: %2.</numerusform>
            <numerusform>%1: %n pods wait: %2.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %2 (%n times)</source>
        <translation>
            <numerusform>%1: %2 (once)</numerusform>
            <numerusform>%1: %2 (%n times)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::PaletteModel</name>
    <message numerus="yes">
        <source>machine, %n pod(s)</source>
        <translation>
            <numerusform>machine, %n pod</numerusform>
            <numerusform>machine, %n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::ScalePreview</name>
    <message numerus="yes">
        <source>Release to scale. The %n faded pod(s) would most likely stop.</source>
        <translation>
            <numerusform>Release to scale. The faded pod would most likely stop.</numerusform>
            <numerusform>Release to scale. The %n faded pods would most likely stop.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Release to scale. The ghosts show where the %n would most likely go.</source>
        <translation>
            <numerusform>Release to scale. The ghost shows where it would most likely go.</numerusform>
            <numerusform>Release to scale. The ghosts show where the %n would most likely go.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::AskDialog</name>
    <message numerus="yes">
        <source>Its %n pod(s) stop here and start on other machines where there is room.</source>
        <translation>
            <numerusform>Its pod stops here and starts on another machine where there is room.</numerusform>
            <numerusform>Its %n pods stop here and start on other machines where there is room.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Its %n pod(s) stop, everywhere. This can&apos;t be undone; the image stays.</source>
        <translation>
            <numerusform>Its pod stops. This can&apos;t be undone; the image stays.</numerusform>
            <numerusform>Its %n pods stop, everywhere. This can&apos;t be undone; the image stays.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Goes on: the %n pod(s) keep running on their machines, restart there when they fail, and their services answer.</source>
        <translation>
            <numerusform>Goes on: the pod keeps running on its machine, restarts there when it fails, and its service answers.</numerusform>
            <numerusform>Goes on: the %n pods keep running on their machines, restart there when they fail, and their services answer.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::DeployDialog</name>
    <message numerus="yes">
        <source>%n field(s) need a look.</source>
        <translation>
            <numerusform>One field needs a look.</numerusform>
            <numerusform>%n fields need a look.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::LogPage</name>
    <message numerus="yes">
        <source>Live · %n line(s)</source>
        <translation>
            <numerusform>Live · %n line</numerusform>
            <numerusform>Live · %n lines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Ended · %n line(s)</source>
        <translation>
            <numerusform>Ended · %n line</numerusform>
            <numerusform>Ended · %n lines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n match(es)</source>
        <translation>
            <numerusform>%n match</numerusform>
            <numerusform>%n matches</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::MachineOverview</name>
    <message numerus="yes">
        <source>Tried %n time(s), next in %1.</source>
        <translation>
            <numerusform>Tried %n time, next in %1.</numerusform>
            <numerusform>Tried %n times, next in %1.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::MapView</name>
    <message numerus="yes">
        <source>%n pod(s)</source>
        <translation>
            <numerusform>%n pod</numerusform>
            <numerusform>%n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::RowList</name>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
</context>
</TS>
